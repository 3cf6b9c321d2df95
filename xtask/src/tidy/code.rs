//! Tells code from comments, strings and character literals.
//!
//! # Basic design
//!
//! One pass over the bytes. At each position either something opaque starts (a comment, a string, a
//! character literal), which is blanked up to its end, or one byte of code is kept. Line ends are
//! always kept, so line numbers stay true. A lifetime is told from a character literal by the quote
//! that follows the one character of the latter. All delimiters are ASCII, and no byte of a
//! multi-byte character is, so bytes are enough.

/// The text with everything but code replaced by spaces, line by line as long as before.
pub(super) fn only(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut code = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        match opaque_end(bytes, at) {
            Some(end) => {
                let blank = |&byte: &u8| if byte == b'\n' { b'\n' } else { b' ' };
                code.extend(bytes[at..end].iter().map(blank));
                at = end;
            }
            None => {
                code.push(bytes[at]);
                at += 1;
            }
        }
    }
    String::from_utf8(code).expect("opaque pieces start and end at ASCII characters")
}

/// The end of the comment, string or character literal that starts at `at`, if one does.
fn opaque_end(bytes: &[u8], at: usize) -> Option<usize> {
    let rest = &bytes[at..];
    match rest {
        [b'/', b'/', ..] => Some(at + position(rest, b"\n").unwrap_or(rest.len())),
        [b'/', b'*', ..] => Some(at + block_comment_length(rest)),
        [b'"', ..] => Some(at + quoted_length(rest)),
        [b'r', b'"' | b'#', ..] => raw_string_length(rest).map(|length| at + length),
        [b'\'', ..] => character_length(rest).map(|length| at + length),
        _ => None,
    }
}

fn position(bytes: &[u8], needle: &[u8]) -> Option<usize> {
    bytes.windows(needle.len()).position(|window| window == needle)
}

/// Block comments nest.
fn block_comment_length(rest: &[u8]) -> usize {
    let mut depth = 0_usize;
    let mut at = 0;
    while at < rest.len() {
        if rest[at..].starts_with(b"/*") {
            depth += 1;
            at += 2;
        } else if rest[at..].starts_with(b"*/") {
            // Cannot underflow: the text starts with an opening, and depth 0 ends the loop.
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += 1;
        }
    }
    rest.len()
}

/// The length of a literal that ends at the next occurrence of its first byte without a backslash.
fn quoted_length(rest: &[u8]) -> usize {
    let mut at = 1;
    while at < rest.len() {
        match rest[at] {
            b'\\' => at += 2,
            byte if byte == rest[0] => return at + 1,
            _ => at += 1,
        }
    }
    rest.len()
}

/// `r"…"`, `r#"…"#` and so on; `None` for a raw identifier.
fn raw_string_length(rest: &[u8]) -> Option<usize> {
    let hash_count = rest[1..].iter().take_while(|&&byte| byte == b'#').count();
    let open = 1 + hash_count;
    if rest.get(open) != Some(&b'"') {
        return None;
    }
    let mut close = vec![b'"'];
    close.resize(1 + hash_count, b'#');
    let body = &rest[open + 1..];
    Some(position(body, &close).map_or(rest.len(), |end| open + 1 + end + close.len()))
}

/// `'x'` and `'\n'`; `None` for a lifetime.
fn character_length(rest: &[u8]) -> Option<usize> {
    match rest.get(1)? {
        b'\\' => Some(quoted_length(rest)),
        _ => {
            // The second byte starts a character of one to four bytes.
            let width = 1 + rest[2..].iter().take_while(|&&byte| byte & 0xC0 == 0x80).count();
            (rest.get(1 + width) == Some(&b'\'')).then_some(2 + width)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::only;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let code = only(text);
        assert_eq!(code.lines().count(), text.lines().count(), "lines are kept");
        let squeeze = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(squeeze(&code), expected);
    }

    #[test]
    fn comments_are_blanked() {
        check("a // b\nc", "a c");
        check("a /* b /* c */ d */ e", "a e");
        check("a /* never\nclosed", "a");
        check("//! front page\n/// item\nfn f() {}", "fn f() {}");
    }

    #[test]
    fn strings_are_blanked() {
        check(r#"a("b \" c // d") e"#, "a( ) e");
        check(r##"a(r#"b "quoted" { c"#) d"##, "a( ) d");
        check(r#"a(b"x{", br"\") c"#, "a(b , b ) c");
        check("a(\"two\nlines\") b", "a( ) b");
        check("a \"never closed", "a");
    }

    #[test]
    fn characters_are_told_from_lifetimes() {
        check("a('{', '\\'', '\"', 'é', '\\u{7d}') b", "a( , , , , ) b");
        check("fn f<'a>(x: &'a str) {}", "fn f<'a>(x: &'a str) {}");
        check("'outer: loop { break 'outer; }", "'outer: loop { break 'outer; }");
    }

    #[test]
    fn raw_identifiers_are_code() {
        check("let r#type = r; /* c */", "let r#type = r;");
    }
}
