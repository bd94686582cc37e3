//! The tokens that an expression is made of.
//!
//! A token is its class and where it stands in the text. Whether a word is a keyword, a function or an
//! attribute's name depends on where it stands, so that is the parsers' business.

/// What a token is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum TokenKind {
    /// A letter, then letters, digits and `_`.
    Word,
    /// `#`, then letters, digits and `_`.
    Name,
    /// `:`, then letters, digits and `_`.
    Value,
    /// Digits.
    Digits,
    /// `(`
    LeftParenthesis,
    /// `)`
    RightParenthesis,
    /// `[`
    LeftBracket,
    /// `]`
    RightBracket,
    /// `,`
    Comma,
    /// `.`
    Dot,
    /// `+`
    Plus,
    /// `-`
    Minus,
    /// `=`
    Equal,
    /// `<>`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
    /// A character that begins no token.
    Unknown,
    /// After the last token.
    End,
}

/// A token and the bytes of the text that it covers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Token {
    pub kind: TokenKind,
    pub start: usize,
    pub end: usize,
}
