"""Tests of check_style.py: for each rule, text that keeps it and text that breaks it.

Run by `python3 -m unittest tests/house/test_check_style.py`, or by `python3 -m unittest` in its folder.
"""
import contextlib
import io
import pathlib
import subprocess
import sys
import tempfile
import unittest
from unittest import mock

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import check_style  # noqa: E402
import cpp_source  # noqa: E402


def rules_broken(path: str, text: str) -> list[str]:
    return [violation.rule for violation in check_style.violations(path, text)]


def lines_broken(path: str, text: str) -> list[int]:
    return [violation.line for violation in check_style.violations(path, text)]


def functions(text: str) -> list[tuple[str, int, int]]:
    """Name, lines and branches of the functions of C++ text."""
    return [(f.name, f.lines, f.branches) for f in cpp_source.Source(text).functions()]


def in_function(statement: str) -> str:
    return f"void f() {{\n    {statement}\n}}\n"


class Columns(unittest.TestCase):
    def test_the_limit_is_110(self):
        for path in ("a.cpp", "a.h", "a.cu", "a.c", "a.sh", "a.cmake", "b/CMakeLists.txt", ".ci/run", "a.py",
                     "a.md"):
            with self.subTest(path):
                self.assertEqual(rules_broken(path, "x" * 110 + "\n"), [])
                self.assertEqual(rules_broken(path, "\n" + "x" * 111 + "\n"), ["columns"])
                self.assertEqual(lines_broken(path, "\n" + "x" * 111 + "\n"), [2])

    def test_characters_are_counted_not_bytes(self):
        self.assertEqual(rules_broken("a.cpp", "// " + "\u03bc" * 107), [])

    def test_other_files_have_no_limit(self):
        self.assertEqual(rules_broken("plan.csv", "x" * 500), [])

    def test_tables_links_headings_and_code_of_markdown_may_be_longer(self):
        long = "x" * 200
        for text in (f"| {long} |", f"# {long}", f"[{long}](a.md)", f"[a]: {long}", f"https://{long}",
                     f"```\n{long}\n```", f"~~~ sh\n{long}\n~~~", f"  ```\n  {long}\n  ```"):
            with self.subTest(text):
                self.assertEqual(rules_broken("a.md", text), [])
        for text in (long, f"- {long}", f"```\n```\n{long}", f"```\ncode\n```\n{long}"):
            with self.subTest(text):
                self.assertEqual(rules_broken("a.md", text), ["columns"])


class Python(unittest.TestCase):
    @staticmethod
    def function(lines: int) -> str:
        return "def f():\n" + "    pass\n" * (lines - 1)

    def test_lines_of_a_function(self):
        self.assertEqual(rules_broken("a.py", self.function(60)), [])
        self.assertEqual(rules_broken("a.py", self.function(61)), ["lines"])

    def test_branches_of_a_function(self):
        allowed = "def f(x):\n" + "    if x:\n        pass\n" * 19
        self.assertEqual(rules_broken("a.py", allowed), [])
        self.assertEqual(rules_broken("a.py", allowed + "    return 1 if x else 2\n"), ["branches"])

    def test_every_kind_of_branch_counts(self):
        branches = (("if x: pass", 1), ("for i in x: pass", 1), ("while x: pass", 1), ("y = x and x or x", 2),
                    ("y = 1 if x else 2", 1), ("y = [i for i in x if i]", 2), ("y = x", 0),
                    ("try: pass\n    except ValueError: pass", 1), ("if x: pass\n    elif x: pass", 2))
        for branch, count in branches:
            with self.subTest(branch):
                tree = check_style.ast.parse(f"def f(x):\n    {branch}\n")
                self.assertEqual(check_style.python_branches(tree), 1 + count)

    def test_text_that_is_no_python(self):
        self.assertEqual(rules_broken("a.py", "def f(:\n"), ["syntax"])


class CppLimits(unittest.TestCase):
    def test_lines_of_a_function(self):
        allowed = "int f(int a,\n      int b) {\n" + "    g();\n" * 57 + "}\n"
        self.assertEqual(rules_broken("a.cpp", allowed), [])
        self.assertEqual(rules_broken("a.cpp", allowed.replace("}", "g(); }").replace("g(); }", "g();\n}")),
                         ["lines"])

    def test_branches_of_a_function(self):
        allowed = "void f(int x) {\n" + "    if (x) g();\n" * 19 + "}\n"
        self.assertEqual(rules_broken("a.cpp", allowed), [])
        too_many = allowed.replace("}", "    h(x ? 1 : 2);\n}")
        self.assertEqual(rules_broken("a.cpp", too_many), ["branches"])
        self.assertEqual(lines_broken("a.cpp", "\n" + too_many), [2])

    def test_of_tests_only_the_lines_are_limited(self):
        branches = "TEST(A, B) {\n" + "    if (x) g();\n" * 30 + "}\n"
        lines = "TEST_P(A, B) {\n" + "    g();\n" * 60 + "}\n"
        self.assertEqual(rules_broken("tests/a.cpp", branches), [])
        self.assertEqual(rules_broken("tests/a.cpp", lines), ["lines"])

    def test_every_kind_of_branch_counts(self):
        for branch, count in (("if (x) g();", 1), ("for (;;) g();", 1), ("while (x) g();", 1),
                              ("g(x ? 1 : 2);", 1), ("switch (x) { case 1: case 2: default: g(); }", 2),
                              ("g(a && b || c);", 2), ("try { g(); } catch (...) { h(); }", 1),
                              ("auto&& y = x;", 0), ("g(x);", 0), ("do g(); while (x);", 1),
                              ("if constexpr (x) g(); else if (y) h();", 2),
                              ("g([](auto&& a) { return a ? 1 : 2; });", 1)):
            with self.subTest(branch):
                self.assertEqual(functions(in_function(branch)), [("f", 3, 1 + count)])

    def test_comments_texts_and_preprocessor_lines_are_no_branches(self):
        text = in_function('// if (a && b)\n/* while (x) { */\n'
                           '#if defined(A) || \\\n    defined(B)\n'
                           'g("if (", \'{\', \'"\', 1\'000, R"x(if ")" { ? )x", "\\"? ");\n#endif')
        self.assertEqual([branches for _, _, branches in functions(text)], [1])
        self.assertEqual(functions("#define F(x) /* a\n b { */ if (x) {\nint g() { return 1; }\n"),
                         [("g", 1, 1)])


class CppFunctions(unittest.TestCase):
    def names(self, text: str) -> list[str]:
        return [name for name, _, _ in functions(text)]

    def test_functions_are_found_in_namespaces_and_classes(self):
        text = """
            extern "C" { int a() { return 1; } }
            namespace x::y { namespace {
            template <class T, int n = (1 > 2)> struct B : C<T> {
                explicit B(int x) : C<T>{x}, y_(x ? 1 : 2), z_{} {}
                ~B() noexcept(true) {}
                bool operator()(int a) const noexcept override { return a; }
                B& operator=(const B&) = delete;
                auto e() const -> std::vector<int> { return {}; }
                std::array<int, 3> values{1, 2, 3};
                enum class Kind : int { one, two };
            private:
                int z_ = 1;
            };
            } }
            LIBDOSE_HD void B<int>::f(int (*g)(int), double x = 1) {}
            int X::h() && LIBDOSE_MACRO { return 1; }
            template <class E> requires std::is_enum_v<E> int i(E e) { return 1; }
            __global__ void __launch_bounds__(256) k(int a) {}
            """
        names = ["a", "B", "~B", "operator()", "e", "f", "X::h", "i", "k"]
        self.assertEqual(self.names(text), names)

    def test_values_and_declarations_are_no_functions(self):
        text = """
            constexpr std::array names{Word{1, "a"}, Word{2, "b"}};
            const std::map<int, int> table = {{f(1), 2}};
            struct Point { double x = 0, y = f(1); } origin{1, 2};
            enum { red, green };
            int declared(int a);
            template <class T> concept Number = requires { f(T{}); };
            """
        self.assertEqual(self.names(text), [])

    def test_tests_have_the_names_of_suite_and_test(self):
        self.assertEqual(self.names("TYPED_TEST(Dose, Sums) {\n}\n"), ["TYPED_TEST(Dose, Sums)"])

    def test_a_lambda_belongs_to_the_function_that_holds_it(self):
        text = in_function("const auto g = [&, x](int a) mutable -> int { if (a) return 1; return 2; };")
        self.assertEqual(functions(text), [("f", 3, 2)])

    def test_a_lambda_outside_functions_is_one_itself(self):
        text = "const auto g = [](int a) {\n    return a ? 1 : 2;\n};\nconst T t{[] { return 1; }};\n"
        self.assertEqual(functions(text), [("lambda", 3, 2), ("lambda", 1, 1)])


class CommaOperators(unittest.TestCase):
    FLAGGED = ("a = 1, b = 2;", "++i, ++j;", "f(), g();", "x.y = 1, z += 2;", "if (c) a = 1, b = 2;",
               "i--, j--;", "for (int i = 0; i < n; ++i) a[i] = 0, b[i] = 1;", "else_ = 1, x = 2;",
               "if (c) { f(); } else a = 1, b = 2;", "case_of(1), f();",
               "switch (c) { case 1: a = 1, b = 2; }", "while (c) f(), g();", "*a = 1, *b = 2;",
               "(a).b = 1, c = 2;", "std::get<0>(t) = 1, b = 2;", "this->a = 1, b = 2;", "return f(), 2;",
               "run([&] { a = 1, b = 2; });", "const auto g = [](int a) { ++a, ++b; };",
               "if (a = f(), a) g();", "struct X { void g() { a = 1, b = 2; } };",
               "do a = 1, b = 2; while (c);", "std::swap(a, b), f(c);", "a = x < y, b = z > y;",
               "try { a = 1, b = 2; } catch (...) { }", "a = b << 2, c = d << 2;", "label: a = 1, b = 2;",
               "f<int, double>(1), g();", "delete a, delete b;", "a ? f() : g(), h();")
    KEPT = (
        "double a = 1, b = 2;", "int i, j;", "f(a, b);", "x = {1, 2};", "std::pair<int, int> p = f(a, b);",
        "std::array<double, 3> x{1, 2}, y;", "const auto [a, b] = f(1, 2);", "auto& [a, b] = c;",
        "enum { one, two };", "for (i = 0, j = 1; i < j; ++i, --j) f(i, j);", "return {1, 2};",
        "return std::pair<int, int>(1, 2);", "T a(1, 2), b(3, 4);", "T* a = f(), *b = g();",
        "const T &a = f(), &b = g();", "f<int, double>(1);", "struct X { X() : a(1), b(2) {} int a, b; };",
        "enum class X : int { a = f(1), b };", "using X = T<int, int>;", "a[i] = b[f(1, 2)];",
        "run([&, x](int a, int b) { return a; }, 1);", "matrix << f(1), 2, 3;",
        "kernel<T, N><<<dim3(1, 2), 1, 0, stream>>>(a, b);",
        "for (const auto& [k, v] : map) f(k, v);", "static const T a = 1, b = 2;",
        "unsigned long a = 1, b = 2;", "typename T::U a = f(), b = g();", "x::y<int>::z a = f(), b = g();",
        "if (const auto a = f(1, 2); a) g();", "[[maybe_unused]] T a = 1, b = 2;", "SUBCASE(1, 2) { f(); }",
        "case_ = T<int, int>{1, 2};", 'text = "a = 1, b = 2;";', "// a = 1, b = 2;",
        "catch_all = [](int a, int b) { return a; };", "decltype(a) b = 1, c = 2;")

    def test_comma_operators_are_found(self):
        for statement in self.FLAGGED:
            with self.subTest(statement):
                self.assertEqual(rules_broken("a.cpp", in_function(statement)), ["commas"])

    def test_c_has_the_rules_of_cpp(self):
        self.assertEqual(rules_broken("a.c", in_function("a = 1, b = 2;")), ["commas"])
        self.assertEqual(rules_broken("a.c", in_function("\n" * 60)), ["lines"])

    def test_other_commas_are_kept(self):
        for statement in self.KEPT:
            with self.subTest(statement):
                self.assertEqual(rules_broken("a.cpp", in_function(statement)), [])

    def test_commas_outside_functions_are_kept(self):
        for text in ("int a = 1, b = 2;", "struct A { int a = f(), b = 2; };", "T t{f(), g()};",
                     "A::A(int x) : a(f(x)), b{x}, c(1) { g(); }", "void f(int a = g(), int b = 2);",
                     "enum class A { a = f(1), b };", "template <class T, int n> void f();"):
            with self.subTest(text):
                self.assertEqual(rules_broken("a.h", text), [])

    def test_the_line_of_the_comma_is_given(self):
        self.assertEqual(lines_broken("a.cpp", in_function("f();\n\n    a = 1,\n    b = 2;")), [4])


class Program(unittest.TestCase):
    def run_on(self, root: pathlib.Path, *options: str) -> tuple[int, str]:
        printed = io.StringIO()
        arguments = ["check_style.py", *options, str(root)]
        with mock.patch.object(sys, "argv", arguments), contextlib.redirect_stdout(printed):
            status = check_style.main()
        return status, printed.getvalue()

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)
        (self.root / "build").mkdir()
        (self.root / "build" / "a.cpp").write_text("x" * 200)
        (self.root / "a.cpp").write_text("int f() { return 1; }\n")

    def test_a_tree_in_order_gives_zero(self):
        status, printed = self.run_on(self.root)
        self.assertEqual(status, 0)
        self.assertEqual(printed, "columns 0, lines 0, branches 0, commas 0, syntax 0\n")

    def test_a_violation_gives_one_with_its_place(self):
        (self.root / "b.cpp").write_text("void f() {\n    a = 1, b = 2;\n}\n")
        status, printed = self.run_on(self.root)
        self.assertEqual(status, 1)
        self.assertRegex(printed, r"(?m)^b\.cpp:2: commas: \S.*$")
        self.assertRegex(printed, r"(?m)^columns 0, lines 0, branches 0, commas 1, syntax 0$")

    def test_git_says_which_files_there_are(self):
        (self.root / "untracked.cpp").write_text("x" * 200)
        subprocess.run(["git", "init", "-q", self.root], check=True)
        subprocess.run(["git", "-C", self.root, "add", "a.cpp"], check=True)
        self.assertEqual(check_style.source_files(self.root), ["a.cpp"])

    def test_functions_are_listed_by_branches(self):
        (self.root / "b.cpp").write_text("void g(int x) {\n    if (x) f();\n}\n")
        status, printed = self.run_on(self.root, "--list-functions")
        self.assertEqual(status, 0)
        rows = [line.split() for line in printed.splitlines()[1:]]
        self.assertEqual(rows, [["2", "3", "b.cpp:1", "g"], ["1", "1", "a.cpp:1", "f"]])


if __name__ == "__main__":
    unittest.main()
