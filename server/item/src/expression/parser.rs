//! What all three grammars share: the cursor over the tokens, document paths, nesting and counting.
//!
//! The cursor stops at the first syntax error. A text that is well formed and still wrong (an unknown
//! function, a reserved word) is read to its end first, as DynamoDB does, so that a syntax error further on
//! is the one reported; the tree built after such an `offence` is thrown away.

use std::collections::BTreeMap;

use types::limits::{
    EXPRESSION_BYTES_MAX, EXPRESSION_CALL_NESTING_MAX, EXPRESSION_NESTING_MAX, EXPRESSION_OPERATORS_MAX,
    NESTING_MAX, SUBSTITUTION_TOKEN_BYTES_MAX,
};

use super::error::{Cause, Error, Kind};
use super::lexer;
use super::path::{Name, NameId, Path, Step, Symbols, ValueId};
use super::reserved::is_reserved;
use super::token::{Token, TokenKind};

/// A list index of DynamoDB is a Java `int`.
const LIST_INDEX_MAX: u32 = i32::MAX as u32;

/// Reads a whole text by a grammar: the tree and the names and values in it.
pub(crate) fn parse<T>(
    kind: Kind,
    text: &str,
    grammar: impl FnOnce(&mut Parser<'_>) -> Result<T, Cause>,
) -> Result<(T, Symbols), Error> {
    parse_text(text, grammar).map_err(|cause| Error::Invalid { kind, cause })
}

fn parse_text<T>(
    text: &str,
    grammar: impl FnOnce(&mut Parser<'_>) -> Result<T, Cause>,
) -> Result<(T, Symbols), Cause> {
    if text.len() > EXPRESSION_BYTES_MAX {
        return Err(Cause::Size { bytes: text.len() });
    }
    let mut parser = Parser::new(text);
    if parser.peek() == TokenKind::End {
        return Err(Cause::Empty);
    }
    let tree = grammar(&mut parser)?;
    parser.expect(TokenKind::End)?;
    if let Some(offence) = parser.offence {
        return Err(offence);
    }
    if parser.operators > EXPRESSION_OPERATORS_MAX {
        return Err(Cause::Operators { count: parser.operators });
    }
    Ok((tree, parser.symbols))
}

/// A cursor over the tokens of a text.
pub(crate) struct Parser<'t> {
    text: &'t str,
    tokens: Vec<Token>,
    at: usize,
    depth: usize,
    calls: usize,
    operators: usize,
    offence: Option<Cause>,
    symbols: Symbols,
    name_ids: BTreeMap<&'t str, NameId>,
    value_ids: BTreeMap<&'t str, ValueId>,
}

impl<'t> Parser<'t> {
    fn new(text: &'t str) -> Self {
        Parser {
            text,
            tokens: lexer::tokens(text),
            at: 0,
            depth: 0,
            calls: 0,
            operators: 0,
            offence: None,
            symbols: Symbols::default(),
            name_ids: BTreeMap::new(),
            value_ids: BTreeMap::new(),
        }
    }

    /// The kind of the token under the cursor.
    pub(crate) fn peek(&self) -> TokenKind {
        self.tokens[self.at].kind
    }

    /// The kind of the token after the one under the cursor.
    pub(crate) fn peek_second(&self) -> TokenKind {
        self.tokens.get(self.at + 1).map_or(TokenKind::End, |token| token.kind)
    }

    /// The text of the token under the cursor.
    pub(crate) fn peek_text(&self) -> &'t str {
        let token = self.tokens[self.at];
        &self.text[token.start..token.end]
    }

    /// Steps over the token under the cursor and gives its text. The last token is never stepped over.
    pub(crate) fn advance(&mut self) -> &'t str {
        let text = self.peek_text();
        self.at = (self.at + 1).min(self.tokens.len() - 1);
        text
    }

    /// Steps over a token if it is of this kind.
    pub(crate) fn take(&mut self, kind: TokenKind) -> bool {
        let found = self.peek() == kind && kind != TokenKind::End;
        if found {
            self.advance();
        }
        found
    }

    /// Steps over a token that must be of this kind.
    pub(crate) fn expect(&mut self, kind: TokenKind) -> Result<&'t str, Cause> {
        if self.peek() == kind { Ok(self.advance()) } else { Err(self.syntax_error()) }
    }

    /// Whether the token under the cursor is this keyword, in any case.
    pub(crate) fn at_keyword(&self, keyword: &str) -> bool {
        self.peek() == TokenKind::Word && self.peek_text().eq_ignore_ascii_case(keyword)
    }

    /// Steps over a keyword if it is there.
    pub(crate) fn take_keyword(&mut self, keyword: &str) -> bool {
        let found = self.at_keyword(keyword);
        if found {
            self.advance();
        }
        found
    }

    /// The error of a token that cannot stand under the cursor.
    pub(crate) fn syntax_error(&self) -> Cause {
        let token = self.tokens[self.at];
        let before = self.tokens[self.at.saturating_sub(1)];
        let after = self.tokens.get(self.at + 1).unwrap_or(&token);
        let near = self.text[before.start..after.end].trim_end();
        let text = match token.kind {
            TokenKind::End => "<EOF>",
            _ => self.peek_text(),
        };
        Cause::Syntax { token: text.to_owned(), near: near.to_owned() }
    }

    /// Notes what is wrong with a well-formed text; the first one is reported.
    pub(crate) fn offend(&mut self, cause: Cause) {
        self.offence.get_or_insert(cause);
    }

    /// Counts an operator or function.
    pub(crate) fn count_operator(&mut self) {
        self.operators += 1;
    }

    /// Goes into parentheses or under a `NOT`.
    pub(crate) fn enter(&mut self) -> Result<(), Cause> {
        enter(&mut self.depth, EXPRESSION_NESTING_MAX)
    }

    /// Comes back from some levels.
    pub(crate) fn leave(&mut self, levels: usize) {
        self.depth -= levels;
    }

    /// Goes into what is read by recursion: a function's operands.
    pub(crate) fn enter_call(&mut self) -> Result<(), Cause> {
        enter(&mut self.calls, EXPRESSION_CALL_NESTING_MAX)
    }

    /// Comes back from it.
    pub(crate) fn leave_call(&mut self) {
        self.calls -= 1;
    }

    /// Reads a `:value`.
    pub(crate) fn value(&mut self) -> Result<ValueId, Cause> {
        let token = self.expect(TokenKind::Value)?;
        self.check_token_length(token);
        let symbols = &mut self.symbols;
        Ok(*self.value_ids.entry(token).or_insert_with(|| {
            symbols.values.push(token.to_owned());
            ValueId((symbols.values.len() - 1) as u16)
        }))
    }

    /// Reads a document path; `is_keyword` tells which words end an expression's part instead.
    pub(crate) fn path(&mut self, is_keyword: fn(&str) -> bool) -> Result<Path, Cause> {
        let mut steps = vec![Step::Name(self.name(is_keyword)?)];
        loop {
            if self.take(TokenKind::Dot) {
                steps.push(Step::Name(self.name(is_keyword)?));
            } else if self.take(TokenKind::LeftBracket) {
                steps.push(Step::Index(self.index()?));
                self.expect(TokenKind::RightBracket)?;
            } else {
                break;
            }
        }
        if steps.len() > NESTING_MAX {
            self.offend(Cause::PathDepth { levels: steps.len() });
        }
        Ok(Path(steps))
    }

    fn name(&mut self, is_keyword: fn(&str) -> bool) -> Result<NameId, Cause> {
        let text = self.peek_text();
        let name = match self.peek() {
            TokenKind::Name => {
                self.check_token_length(text);
                Name::Substituted(text.to_owned())
            }
            TokenKind::Word if !is_keyword(text) => {
                if is_reserved(text) {
                    self.offend(Cause::ReservedWord { word: text.to_owned() });
                }
                Name::Plain(text.to_owned())
            }
            _ => return Err(self.syntax_error()),
        };
        self.advance();
        let symbols = &mut self.symbols;
        Ok(*self.name_ids.entry(text).or_insert_with(|| {
            symbols.names.push(name);
            NameId((symbols.names.len() - 1) as u16)
        }))
    }

    fn index(&mut self) -> Result<u32, Cause> {
        let digits = self.expect(TokenKind::Digits)?;
        match digits.parse::<u32>() {
            Ok(index) if index <= LIST_INDEX_MAX => Ok(index),
            _ => {
                self.offend(Cause::ListIndex { index: digits.to_owned() });
                Ok(0)
            }
        }
    }

    fn check_token_length(&mut self, token: &str) {
        if token.len() > SUBSTITUTION_TOKEN_BYTES_MAX {
            self.offend(Cause::TokenLength { bytes: token.len() });
        }
    }
}

fn enter(depth: &mut usize, max: usize) -> Result<(), Cause> {
    if *depth == max {
        return Err(Cause::Nesting { max });
    }
    *depth += 1;
    Ok(())
}
