//! Cuts the text of an expression into tokens.
//!
//! It never fails: what begins no token becomes `Unknown`, and the parser that meets it says where.

use super::token::{Token, TokenKind};

/// All tokens of a text, the last of them `End`.
pub(crate) fn tokens(text: &str) -> Vec<Token> {
    let bytes = text.as_bytes();
    let mut found = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        if is_space(bytes[at]) {
            at += 1;
            continue;
        }
        let (kind, length) = first(&text[at..]);
        found.push(Token { kind, start: at, end: at + length });
        at += length;
    }
    found.push(Token { kind: TokenKind::End, start: text.len(), end: text.len() });
    found
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// The kind and length of the token that a text without leading space begins with.
fn first(text: &str) -> (TokenKind, usize) {
    let bytes = text.as_bytes();
    let run = |accepts: fn(u8) -> bool| bytes[1..].iter().take_while(|byte| accepts(**byte)).count();
    let sigil = |kind| match run(is_word) {
        0 => (TokenKind::Unknown, 1),
        length => (kind, 1 + length),
    };
    match (bytes[0], bytes.get(1)) {
        (b'a'..=b'z' | b'A'..=b'Z', _) => (TokenKind::Word, 1 + run(is_word)),
        (b'0'..=b'9', _) => (TokenKind::Digits, 1 + run(|byte| byte.is_ascii_digit())),
        (b'#', _) => sigil(TokenKind::Name),
        (b':', _) => sigil(TokenKind::Value),
        (b'<', Some(b'>')) => (TokenKind::NotEqual, 2),
        (b'<', Some(b'=')) => (TokenKind::LessOrEqual, 2),
        (b'>', Some(b'=')) => (TokenKind::GreaterOrEqual, 2),
        (b'<', _) => (TokenKind::Less, 1),
        (b'>', _) => (TokenKind::Greater, 1),
        (b'=', _) => (TokenKind::Equal, 1),
        (b'(', _) => (TokenKind::LeftParenthesis, 1),
        (b')', _) => (TokenKind::RightParenthesis, 1),
        (b'[', _) => (TokenKind::LeftBracket, 1),
        (b']', _) => (TokenKind::RightBracket, 1),
        (b',', _) => (TokenKind::Comma, 1),
        (b'.', _) => (TokenKind::Dot, 1),
        (b'+', _) => (TokenKind::Plus, 1),
        (b'-', _) => (TokenKind::Minus, 1),
        _ => (TokenKind::Unknown, text.chars().next().map_or(1, char::len_utf8)),
    }
}

/// Whether a text is exactly one token of a kind.
pub(crate) fn is_one(text: &str, kind: TokenKind) -> bool {
    !text.is_empty() && !is_space(text.as_bytes()[0]) && first(text) == (kind, text.len())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn cut(text: &str) -> Vec<(TokenKind, &str)> {
        tokens(text).iter().map(|token| (token.kind, &text[token.start..token.end])).collect()
    }

    #[test]
    fn words_stop_where_their_characters_do() {
        assert_eq!(
            cut("a_1.#1b<=:v<>é"),
            vec![
                (TokenKind::Word, "a_1"),
                (TokenKind::Dot, "."),
                (TokenKind::Name, "#1b"),
                (TokenKind::LessOrEqual, "<="),
                (TokenKind::Value, ":v"),
                (TokenKind::NotEqual, "<>"),
                (TokenKind::Unknown, "é"),
                (TokenKind::End, ""),
            ]
        );
        assert_eq!(cut("_a")[0], (TokenKind::Unknown, "_"));
        assert_eq!(cut("#")[0], (TokenKind::Unknown, "#"));
        assert_eq!(cut("12a"), vec![(TokenKind::Digits, "12"), (TokenKind::Word, "a"), (TokenKind::End, "")]);
    }

    proptest! {
        #[test]
        fn tokens_and_spaces_cover_the_text(text in ".{0,40}") {
            let mut at = 0;
            for token in tokens(&text) {
                prop_assert!(text[at..token.start].bytes().all(is_space));
                prop_assert!(token.end > token.start || token.kind == TokenKind::End);
                at = token.end;
            }
            prop_assert_eq!(at, text.len());
        }
    }
}
