//! Rules `file-length` and `function-length`: what no reader can hold in mind is split.

use super::{Source, Violation};

/// The most lines a file and a function may have.
#[derive(Debug)]
pub(super) struct Limits {
    file: usize,
    function: usize,
}

/// Passing these fails.
pub(super) const HARD: Limits = Limits { file: 400, function: 80 };

/// Passing these is reported.
pub(super) const SOFT: Limits = Limits { file: 300, function: 60 };

/// The file if it is over its limit, and each function that is.
pub(super) fn over(source: &Source, limits: &Limits) -> Vec<Violation> {
    let mut violations = Vec::new();
    let line_count = source.text.lines().count();
    if line_count > limits.file {
        violations.push(Violation {
            rule: "file-length",
            place: source.path.clone(),
            message: format!("{line_count} lines; at most {} are allowed", limits.file),
        });
    }
    for function in functions(&source.code) {
        if function.line_count > limits.function {
            violations.push(Violation {
                rule: "function-length",
                place: format!("{}:{}", source.path, function.line),
                message: format!(
                    "function `{}` has {} lines; at most {} are allowed",
                    function.name, function.line_count, limits.function
                ),
            });
        }
    }
    violations
}

#[derive(Debug, PartialEq, Eq)]
struct Function<'a> {
    name: &'a str,
    /// Of the word `fn`, counted from 1.
    line: usize,
    /// From the word `fn` to the closing brace.
    line_count: usize,
}

/// Every function with a body, nested ones too.
fn functions(code: &str) -> Vec<Function<'_>> {
    let mut functions = Vec::new();
    for (start, _) in code.match_indices("fn ") {
        let part_of_a_word = code[..start].chars().next_back().is_some_and(is_word);
        let rest = &code[start + "fn ".len()..];
        let name_length = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
        if part_of_a_word || name_length == 0 {
            continue;
        }
        if let Some(length) = through_body(rest) {
            functions.push(Function {
                name: &rest[..name_length],
                line: 1 + line_ends(&code[..start]),
                line_count: 1 + line_ends(&rest[..length]),
            });
        }
    }
    functions
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn line_ends(code: &str) -> usize {
    code.bytes().filter(|&byte| byte == b'\n').count()
}

/// The length up to the end of the body that follows; `None` for a declaration without one.
fn through_body(rest: &str) -> Option<usize> {
    // Within parentheses and brackets a semicolon belongs to an array type.
    let mut nesting = 0_usize;
    let mut braces = 0_usize;
    for (at, byte) in rest.bytes().enumerate() {
        match byte {
            b'(' | b'[' => nesting += 1,
            b')' | b']' => nesting = nesting.saturating_sub(1),
            b';' if nesting == 0 && braces == 0 => return None,
            b'{' => braces += 1,
            b'}' => {
                braces = braces.saturating_sub(1);
                if braces == 0 {
                    return Some(at + 1);
                }
            }
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(text: &str, limits: &Limits) -> Vec<&'static str> {
        over(&Source::new("a.rs", text), limits).iter().map(|violation| violation.rule).collect()
    }

    #[test]
    fn a_file_over_its_limit_is_refused() {
        assert_eq!(rules(&"\n".repeat(HARD.file), &HARD), [""; 0]);
        assert_eq!(rules(&"\n".repeat(HARD.file + 1), &HARD), ["file-length"]);
        assert_eq!(rules(&"\n".repeat(HARD.file), &SOFT), ["file-length"]);
    }

    #[test]
    fn a_function_over_its_limit_is_refused_by_name_and_line() {
        let of_lines =
            |count: usize| format!("//! A.\n\nfn long() {{{}}}\n", "\n".repeat(count - 1));
        assert_eq!(rules(&of_lines(HARD.function), &HARD), [""; 0]);
        let violations = over(&Source::new("a.rs", of_lines(HARD.function + 1)), &HARD);
        assert_eq!(violations.len(), 1);
        assert_eq!(
            violations[0].to_string(),
            "a.rs:3: function `long` has 81 lines; at most 80 are allowed [rule: function-length]"
        );
    }

    #[test]
    fn functions_are_found_with_their_bodies_only() {
        let code = "\
trait T { fn declared(x: [u8; 4]) -> u8; }
type Pointer = fn (u8) -> u8;
pub const fn outer<F: Fn(u8)>(f: F)
where
    F: Copy,
{
    fn inner() { if true { } }
}
";
        let found: Vec<_> =
            functions(code).into_iter().map(|f| (f.name, f.line, f.line_count)).collect();
        assert_eq!(found, [("outer", 3, 6), ("inner", 7, 1)]);
    }
}
