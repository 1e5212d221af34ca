#include "libdose/structure_expression.h"

#include <algorithm>
#include <string_view>
#include <utility>
#include <vector>

#include "base/text.h"
#include "libdose/error.h"

namespace libdose {
namespace {

const char* word_of(StructureOperation operation) {
    switch (operation) {
        case StructureOperation::unite:
            return "or";
        case StructureOperation::intersect:
            return "and";
        case StructureOperation::subtract:
            return "minus";
        case StructureOperation::none:
            break;
    }
    return "";
}

struct Token {
    enum class Kind { name, operation, open, close } kind;
    std::string text;
    StructureOperation operation = StructureOperation::none;
};

constexpr std::string_view white = " \t\r\n";

/// A name in double quotes that begins at `at`; moves `at` behind it.
std::string quoted_name(const std::string& text, std::size_t& at) {
    std::string name;
    for (++at; at < text.size(); ++at) {
        if (text[at] != '"') {
            name += text[at];
        } else if (at + 1 < text.size() && text[at + 1] == '"') {
            name += text[++at];
        } else {
            ++at;
            return name;
        }
    }
    throw bad_input("a quote is not closed in \"" + text + "\"", "structure");
}

/// Adds a word: an operation, or a part of a name without quotes.
void add_word(const std::string& word, std::vector<Token>& tokens) {
    const std::string small = lower_case(word);
    for (const auto operation :
         {StructureOperation::unite, StructureOperation::intersect, StructureOperation::subtract})
        if (small == word_of(operation)) {
            tokens.push_back({Token::Kind::operation, word, operation});
            return;
        }
    if (!tokens.empty() && tokens.back().kind == Token::Kind::name)
        tokens.back().text += " " + word;
    else
        tokens.push_back({Token::Kind::name, word});
}

std::vector<Token> tokens_of(const std::string& text) {
    std::vector<Token> tokens;
    std::size_t at = 0;
    while ((at = text.find_first_not_of(white, at)) < text.size()) {
        if (text[at] == '(' || text[at] == ')') {
            tokens.push_back({text[at] == '(' ? Token::Kind::open : Token::Kind::close, text.substr(at, 1)});
            ++at;
        } else if (text[at] == '"') {
            tokens.push_back({Token::Kind::name, quoted_name(text, at)});
        } else {
            const std::size_t end = std::min(text.find_first_of(" \t\r\n()\"", at), text.size());
            add_word(text.substr(at, end - at), tokens);
            at = end;
        }
    }
    return tokens;
}

/// Recursive descent: operand = name | ( sequence ); sequence = operand {operation operand}, one operation
/// per sequence.
class Parser {
public:
    Parser(const std::string& text, const StructureSet& set)
        : text_(text), set_(set), tokens_(tokens_of(text)) {}

    StructureExpression whole() {
        StructureExpression result = sequence(0);
        if (at_ < tokens_.size()) throw trouble("\"" + tokens_[at_].text + "\" is not expected");
        return result;
    }

private:
    bool is(Token::Kind kind) const { return at_ < tokens_.size() && tokens_[at_].kind == kind; }

    Error trouble(const std::string& what) const {
        return bad_input(what + " in \"" + text_ + "\"", "structure",
                         "Write for example: LUNG_L or LUNG_R; BODY minus (PTV or GTV). A name with "
                         "brackets, quotes or these words stands in "
                         "double quotes");
    }

    StructureExpression operand(int depth) {
        if (depth > 100) throw trouble("there are too many brackets");
        if (is(Token::Kind::name))
            return StructureExpression(set_.named(tokens_[at_++].text, "structure set " + set_.label));
        if (!is(Token::Kind::open)) throw trouble("the name of a structure is missing");
        ++at_;
        StructureExpression inner = sequence(depth + 1);
        if (!is(Token::Kind::close)) throw trouble("a closing bracket is missing");
        ++at_;
        return inner;
    }

    StructureExpression sequence(int depth) {
        StructureExpression result = operand(depth);
        StructureOperation before = StructureOperation::none;
        for (; is(Token::Kind::operation); before = result.operation) {
            const StructureOperation operation = tokens_[at_++].operation;
            if (before != StructureOperation::none && operation != before)
                throw trouble(std::string("\"") + word_of(before) + "\" and \"" + word_of(operation) +
                              "\" follow each other without brackets");
            result = StructureExpression(operation, std::move(result), operand(depth));
        }
        return result;
    }

    const std::string& text_;
    const StructureSet& set_;
    std::vector<Token> tokens_;
    std::size_t at_ = 0;
};

}  // namespace

StructureExpression::StructureExpression(StructureOperation op, StructureExpression first,
                                         StructureExpression second)
    : operation(op) {
    const auto bracketed = [](const StructureExpression& e) {
        return e.operation == StructureOperation::none ? e.name : "(" + e.name + ")";
    };
    name = bracketed(first) + " " + word_of(op) + " " + bracketed(second);
    a = std::make_shared<const StructureExpression>(std::move(first));
    b = std::make_shared<const StructureExpression>(std::move(second));
}

std::vector<const Structure*> StructureExpression::structures() const {
    if (operation == StructureOperation::none) return {&structure};
    std::vector<const Structure*> all = a->structures();
    for (const Structure* other : b->structures()) all.push_back(other);
    return all;
}

StructureExpression parse_structure_expression(const std::string& text, const StructureSet& set) {
    if (set.find(text)) return StructureExpression(set.named(text, "structure set " + set.label));
    StructureExpression result = Parser(text, set).whole();
    result.name = result.operation == StructureOperation::none ? result.structure.name : text;
    return result;
}

}  // namespace libdose
