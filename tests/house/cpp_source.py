"""Finds the functions and the comma operators of C++ source text, without a compiler.

The text is cut into tokens; comments and preprocessor lines are dropped. What follows goes by the layout that
clang-format gives, so it may err on code that is written otherwise.
"""
import dataclasses
import re
from collections.abc import Iterator

TOKEN = re.compile(
    r"""
    (?P<directive>^[ \t]*\#(?://(?:\\\n|[^\n])*|/\*.*?\*/|\\\n|[^\n])*)
    |(?P<comment>//(?:\\\n|[^\n])*|/\*.*?\*/)
    |(?P<string>(?:u8|[uUL])?R"(?P<mark>[^()\s\\]*)\(.*?\)(?P=mark)"|(?:u8|[uUL])?"(?:\\.|[^"\\\n])*")
    |(?P<number>\.?[0-9](?:'[0-9A-Za-z]|[eEpP][+-]|[0-9A-Za-z_.])*)
    |(?P<character>(?:u8|[uUL])?'(?:\\.|[^'\\\n])*')
    |(?P<word>[A-Za-z_]\w*)
    |(?P<sign>->\*|<=>|<<=|>>=|\.\.\.|::|->|\+\+|--|&&|\|\||<<|[-+*/%&|^!=<>]=|[^\s\w])
    """,
    re.MULTILINE | re.DOTALL | re.VERBOSE)

CLOSING = {"(": ")", "[": "]", "{": "}"}
BRANCH_WORDS = {"if", "for", "while", "case", "catch", "and", "or"}
BRANCH_SIGNS = {"&&", "||", "?"}
ASSIGNMENTS = {"=", "+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=", "<<=", ">>=", "++", "--"}
# Words after which a bracket opens a lambda, not an index.
BEFORE_LAMBDA = {"return", "co_return", "throw", "case", "else", "do"}
# Words with parentheses of their own that may stand before or after a function's parameters.
WITH_PARENTHESES = {"__attribute__", "__declspec", "__launch_bounds__", "alignas", "decltype", "explicit",
                    "noexcept", "requires"}
AFTER_PARAMETERS = {"const", "noexcept", "override", "final", "mutable", "volatile", "try", "&", "&&", "()"}
CLASS_WORDS = {"class", "struct", "union"}
DECLARATION_WORDS = CLASS_WORDS | {
    "alignas", "auto", "bool", "break", "char", "const", "constexpr", "constinit", "continue", "decltype",
    "double", "enum", "extern", "float", "friend", "goto", "inline", "int", "long", "namespace", "register",
    "short", "signed", "static", "static_assert", "template", "thread_local", "typedef", "typename",
    "unsigned", "using", "void", "volatile"}
EXPRESSION_WORDS = {"return", "co_return", "throw", "delete"}


@dataclasses.dataclass(frozen=True)
class Token:
    kind: str
    text: str
    line: int
    touches_previous: bool  # no white space before it


@dataclasses.dataclass(frozen=True)
class Function:
    name: str
    line: int
    lines: int
    branches: int
    body: tuple[int, int]  # tokens of the opening and of the closing brace


def tokens_of(text: str) -> list[Token]:
    """The tokens of C++ text, without comments and preprocessor lines."""
    tokens = []
    line = 1
    counted = 0
    for match in TOKEN.finditer(text):
        line += text.count("\n", counted, match.start())
        counted = match.start()
        if match.lastgroup not in ("directive", "comment"):
            touches = match.start() > 0 and not text[match.start() - 1].isspace()
            kind = "string" if match.group("string") else match.lastgroup
            tokens.append(Token(kind, match.group(), line, touches))
    return tokens


class Source:
    """Tokens of a C++ file, and which brackets belong together."""

    def __init__(self, text: str):
        self.tokens = tokens_of(text)
        self.partner = self._partners()
        self.lambda_bodies = {body for body in map(self._lambda_body, range(len(self.tokens))) if body}

    def text(self, at: int) -> str:
        return self.tokens[at].text if 0 <= at < len(self.tokens) else ""

    def kind(self, at: int) -> str:
        return self.tokens[at].kind if 0 <= at < len(self.tokens) else ""

    def _partners(self) -> dict[int, int]:
        """The closing bracket of each opening one; brackets that are left open end with the text."""
        partner = {}
        opened = []
        for at, token in enumerate(self.tokens):
            if token.kind != "sign":
                continue
            if token.text in CLOSING:
                opened.append(at)
            elif opened and token.text == CLOSING[self.text(opened[-1])]:
                partner[opened.pop()] = at
        return partner | dict.fromkeys(opened, len(self.tokens) - 1)

    def _lambda_body(self, at: int) -> int | None:
        """The opening brace of the lambda whose capture list opens at a token; None if there is none."""
        if self.text(at) != "[" or self.text(at + 1) == "[" or self.text(at - 1) in (")", "]", "["):
            return None
        if self.kind(at - 1) == "word" and self.text(at - 1) not in BEFORE_LAMBDA:
            return None
        at = self.partner[at] + 1
        while at < len(self.tokens):
            text = self.text(at)
            if text == "{":
                return at
            if text == "(":
                at = self.partner[at]
            elif self.kind(at) != "word" and text not in ("<", ">", "->", "::", "*", "&", "&&", ","):
                return None
            elif text == "<":
                at = self.end_of_arguments(at) or at
            elif text == ",":
                return None
            at += 1
        return None

    def end_of_arguments(self, at: int) -> int | None:
        """The `>` that ends the template arguments that a `<` opens; None where it is a comparison."""
        depth = 0
        while at < len(self.tokens):
            text = self.text(at)
            if text in CLOSING:
                at = self.partner[at]
            elif text == "<":
                depth += 1
            elif text == ">":
                depth -= 1
                if depth == 0:
                    return at
            elif self.kind(at) == "sign" and not self._may_be_argument(at):
                return None
            at += 1
        return None

    def _may_be_argument(self, at: int) -> bool:
        text = self.text(at)
        return text in ("::", ",", "*", "&", "...", "-") or text == "&&" and self.tokens[at].touches_previous

    def after_group(self, at: int) -> int:
        """The token behind a bracketed group, or behind a single token."""
        is_group = self.kind(at) == "sign" and self.text(at) in CLOSING
        return (self.partner[at] if is_group else at) + 1

    def branches(self, begin: int, end: int) -> int:
        """McCabe's number of the tokens begin … end: one, and one for each branch."""
        found = 1
        for token in self.tokens[begin:end + 1]:
            if token.kind == "word":
                found += token.text in BRANCH_WORDS
            elif token.text in BRANCH_SIGNS:
                # `T&& name` is a reference; `a && b` has a space before it.
                found += not (token.text == "&&" and token.touches_previous)
        return found

    def outline(self, begin: int, end: int) -> list[tuple[str, int]]:
        """Texts and places of the tokens outside brackets. A bracketed group is one text.

        Template heads and attributes are left out.
        """
        found = []
        at = begin
        while at < end:
            text = self.text(at)
            if text == "template" and self.text(at + 1) == "<":
                at = (self.end_of_head(at + 1) or at) + 1
            elif text in WITH_PARENTHESES and self.text(at + 1) == "(":
                at = self.partner[at + 1] + 1
            elif self.kind(at) == "sign" and text in CLOSING:
                found.append((text + CLOSING[text], at))
                at = self.partner[at] + 1
            else:
                found.append((text, at))
                at += 1
        return found

    def end_of_head(self, at: int) -> int | None:
        """The `>` that ends the parameters of a template; these may have values and conditions."""
        depth = 0
        while at < len(self.tokens):
            depth += {"<": 1, ">": -1}.get(self.text(at), 0)
            if depth == 0:
                return at
            at = self.after_group(at)
        return None

    def lambdas(self, begin: int, end: int) -> Iterator[int]:
        """The opening braces of lambdas that are in no other lambda."""
        at = begin
        while at < end:
            if at in self.lambda_bodies:
                yield at
                at = self.partner[at]
            at += 1

    def functions(self) -> Iterator[Function]:
        """Functions at namespace and class scope, and lambdas outside functions."""
        return self.functions_between(0, len(self.tokens))

    def functions_between(self, begin: int, end: int) -> Iterator[Function]:
        head = at = begin
        while at < end:
            text = self.text(at)
            behind = self.after_group(at)
            if text == "{":
                meaning, name_at = self.meaning_of_brace(head, at)
                if meaning == "function":
                    yield self._function(name_at, head, at)
                elif meaning == "scope":
                    yield from self.functions_between(at + 1, behind - 1)
                else:
                    yield from self._free_lambdas(at, behind)
                if meaning != "value":
                    head = behind
            elif behind > at + 1:
                yield from self._free_lambdas(at, behind)
            elif text == ";" or text == ":" and self.text(at - 1) in ("public", "protected", "private"):
                head = behind
            at = behind

    def _free_lambdas(self, begin: int, end: int) -> Iterator[Function]:
        for brace in self.lambdas(begin, end):
            yield self._function(None, brace, brace)

    def meaning_of_brace(self, head: int, brace: int) -> tuple[str, int | None]:
        """What a brace at namespace or class scope opens: "scope", "value" or "function".

        Of a function also the token that opens its parameters.
        """
        outline = self.outline(head, brace)
        texts = [text for text, _ in outline]
        if not texts or "namespace" in texts[:2] or texts[0] == "extern" and len(texts) == 2:
            return "scope", None
        assigned = any(text == "=" and before != "operator" for before, text in zip([""] + texts, texts))
        if assigned or "enum" in texts[:2]:
            return "value", None
        if "()" in texts:
            first = texts.index("()")
            colon = texts.index(":", first) if ":" in texts[first:] else len(texts)
            last = max(at for at in range(colon) if texts[at] == "()")
            if self._is_body(texts, first, last, colon):
                return "function", outline[last if "->" not in texts else first][1]
        return ("scope" if CLASS_WORDS & set(texts) else "value"), None

    @staticmethod
    def _is_body(texts: list[str], first: int, last: int, colon: int) -> bool:
        """Whether a brace opens a function's body, by what stands between the parameters and the brace."""
        if colon < len(texts):  # a constructor: the braces of its members follow names
            return texts[-1] in ("()", "{}", "...")
        if "->" in texts[first:] or "requires" in texts[last:]:
            return True
        return all(text in AFTER_PARAMETERS or text.isupper() for text in texts[last + 1:])

    def _function(self, parameters: int | None, head: int, brace: int) -> Function:
        close = self.partner[brace]
        first = self.tokens[head].line
        begin = brace if parameters is None else self.partner[parameters] + 1
        name = "lambda" if parameters is None else self._name(parameters)
        lines = self.tokens[close].line - first + 1
        return Function(name, first, lines, self.branches(begin, close), (brace, close))

    def _joined(self, begin: int, end: int) -> str:
        return "".join(self.text(at) for at in range(begin, end))

    def _name(self, parameters: int) -> str:
        """A function's name; with what is in the parentheses where it is a macro, such as TEST."""
        at = parameters - 1
        if self.text(at).isupper() and len(self.text(at)) > 2:
            return self._joined(at, self.partner[parameters] + 1).replace(",", ", ")
        for begin in range(max(at - 3, 0), at):
            if self.text(begin) == "operator":
                return self._joined(begin, parameters)
        if self.text(at - 1) == "~":
            at -= 1
        while self.text(at - 1) == "::" and self.kind(at - 2) == "word":
            at -= 2
        return self._joined(at, parameters)

    def comma_operators(self) -> list[int]:
        """The lines of comma operators, one for each statement that has any.

        The head of a `for` may have comma operators.
        """
        found = []
        for function in self.functions():
            found += self.commas_of_block(*function.body)
        return sorted(found)

    def commas_of_block(self, brace: int, close: int) -> Iterator[int]:
        at = brace + 1
        while at < close:
            at = yield from self._commas_of_statement(at, close)

    def _commas_of_statement(self, at: int, close: int) -> Iterator[int]:
        """Yields lines of comma operators; returns where the next statement begins.

        The head of an `if` or of a loop, and a label, end where the statement begins that they govern.
        """
        text = self.text(at)
        if text == "{":
            yield from self.commas_of_block(at, self.partner[at])
            return self.partner[at] + 1
        if text in ("else", "do", "try"):
            return at + 1
        if text in ("if", "for", "while", "switch", "catch"):
            return (yield from self._commas_of_head(at))
        if text in ("case", "default") or self.kind(at) == "word" and self.text(at + 1) == ":":
            while self.text(at) != ":" and at < close:
                at = self.after_group(at)
            return at + 1
        if text in CLASS_WORDS:
            return (yield from self._commas_of_local_class(at, close))
        end = self._end_of_statement(at, close)
        yield from self._commas_of_expression(at, end)
        return end + (self.text(end) == ";")

    def _commas_of_head(self, at: int) -> Iterator[int]:
        word = self.text(at)
        while self.text(at) != "(":
            at += 1
        if word in ("if", "while", "switch"):
            outside = self._outside_groups(at + 1, self.partner[at])
            parts = [at] + [place for place, _ in outside if self.text(place) == ";"]
            for begin, end in zip(parts, parts[1:] + [self.partner[at]]):
                yield from self._commas_of_expression(begin + 1, end)
        else:
            yield from self._commas_of_lambdas(at, self.partner[at])
        return self.partner[at] + 1

    def _commas_of_local_class(self, at: int, close: int) -> Iterator[int]:
        while at < close and self.text(at) != ";":
            if self.text(at) == "{":
                for function in self.functions_between(at + 1, self.partner[at]):
                    yield from self.commas_of_block(*function.body)
            at = self.after_group(at)
        return at + 1

    def _commas_of_lambdas(self, begin: int, end: int) -> Iterator[int]:
        for brace in self.lambdas(begin, end):
            yield from self.commas_of_block(brace, self.partner[brace])

    def _commas_of_expression(self, begin: int, end: int) -> Iterator[int]:
        yield from self._commas_of_lambdas(begin, end)
        if begin >= end or self.is_declaration(begin):
            return
        outside = list(self._outside_groups(begin, end))
        if self._fills_matrix([self.text(at) for at, _ in outside]):
            return
        acts = self.text(begin) in EXPRESSION_WORDS
        for at, before in outside:
            text = self.text(at)
            called = self.kind(before) == "word" or self.text(before) in (")", "]", ">", "}")
            acts = acts or text in ASSIGNMENTS or text == "(" and called
            if text == "," and acts:
                yield self.tokens[at].line
                return

    @staticmethod
    def _fills_matrix(texts: list[str]) -> bool:
        """Whether a statement fills a matrix of Eigen, `matrix << 1, 2;`, or launches a kernel with `<<<`."""
        return texts.count("<<") == 1 and not ASSIGNMENTS & set(texts)

    def _outside_groups(self, begin: int, end: int) -> Iterator[tuple[int, int]]:
        """Tokens outside brackets and template arguments, each with the token before it."""
        at, before = begin, begin - 1
        while at < end:
            yield at, before
            behind = self.after_group(at)
            if self.text(behind) == "<" and self.kind(at) == "word":
                behind = (self.end_of_arguments(behind) or at) + 1
            before = behind - 1
            at = behind

    def _end_of_statement(self, at: int, close: int) -> int:
        """The semicolon that ends a statement, or the block behind a macro such as SUBCASE(name)."""
        while at < close and self.text(at) != ";":
            if self.text(at) == "{" and self.text(at - 1) == ")" and at not in self.lambda_bodies:
                return at
            at = self.after_group(at)
        return at

    def is_declaration(self, at: int) -> bool:
        """Whether a statement begins with a type and a name, or with a word of declarations."""
        while self.text(at) == "[" and self.text(at + 1) == "[":
            at = self.partner[at] + 1
        if self.kind(at) != "word" or self.text(at) in EXPRESSION_WORDS:
            return False
        if self.text(at) in DECLARATION_WORDS:
            return True
        while self.kind(at) == "word":
            at += 1
            if self.text(at) == "<":
                at = (self.end_of_arguments(at) or at) + 1
            if self.text(at) != "::":
                break
            at += 1
        while self.text(at) in ("*", "&", "&&", "const"):
            at += 1
        return self.kind(at) == "word" or self.text(at) == "[" and self.text(at - 1) in ("&", "&&")
