//! Why an expression was refused: each message names the kind of expression, the token and the limit.
//!
//! The wording is DynamoDB's, because its users search for it; where DynamoDB does not say the limit, it is
//! added. Attribute values never appear, only their tokens and types: messages end up in logs.

use std::fmt;

use types::limits::{
    EXPRESSION_BYTES_MAX, EXPRESSION_OPERATORS_MAX, IN_OPERANDS_MAX, ITEM_BYTES_MAX, NESTING_MAX,
    SUBSTITUTION_BYTES_MAX, SUBSTITUTION_TOKEN_BYTES_MAX,
};

use crate::number::InvalidNumber;

/// Which parameter of a request an expression is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Kind {
    /// Decides whether a write happens.
    Condition,
    /// Decides which of the items read are returned.
    Filter,
    /// Chooses a partition key and a range of sort keys.
    KeyCondition,
    /// Chooses parts of an item.
    Projection,
    /// Changes an item.
    Update,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Kind::Condition => "ConditionExpression",
            Kind::Filter => "FilterExpression",
            Kind::KeyCondition => "KeyConditionExpression",
            Kind::Projection => "ProjectionExpression",
            Kind::Update => "UpdateExpression",
        })
    }
}

/// Why an expression, or its substitutions, cannot be used.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Error {
    /// The text itself, whatever the item.
    #[error("Invalid {kind}: {cause}")]
    Invalid {
        /// Which parameter.
        kind: Kind,
        /// What is wrong with it.
        cause: Cause,
    },
    /// A key condition that is well formed and selects no range of keys.
    #[error(transparent)]
    Key(#[from] KeyCause),
    /// A `#name` or `:value` that cannot be one.
    #[error("{field} contains invalid key: Syntax error; key: \"{key}\"")]
    SubstitutionKey {
        /// `ExpressionAttributeNames` or `ExpressionAttributeValues`.
        field: &'static str,
        /// The key, at most `SUBSTITUTION_TOKEN_BYTES_MAX` bytes of it.
        key: String,
    },
    /// A `#name` or `:value` that is too long.
    #[error(
        "{field} contains invalid key: key too long; size of key: {bytes}, limit: {max}",
        max = SUBSTITUTION_TOKEN_BYTES_MAX
    )]
    SubstitutionKeyLength {
        /// `ExpressionAttributeNames` or `ExpressionAttributeValues`.
        field: &'static str,
        /// How long it was.
        bytes: usize,
    },
    /// The attribute name that a `#name` stands for is empty or too long.
    #[error(
        "ExpressionAttributeNames contains invalid value for key {key}: an attribute name must be 1 to {max} \
        bytes; got {bytes}",
        max = types::limits::ATTRIBUTE_NAME_BYTES_MAX
    )]
    SubstitutedName {
        /// The `#name`.
        key: String,
        /// How long the name was.
        bytes: usize,
    },
    /// All substitutions together.
    #[error(
        "ExpressionAttributeNames and ExpressionAttributeValues exceed max size; size: {bytes}, limit: {max}",
        max = SUBSTITUTION_BYTES_MAX
    )]
    SubstitutionsSize {
        /// Their size.
        bytes: usize,
    },
    /// Substitutions in a request without expressions.
    #[error("{field} can only be specified when using expressions")]
    SubstitutionsAlone {
        /// `ExpressionAttributeNames` or `ExpressionAttributeValues`.
        field: &'static str,
    },
    /// Substitutions that no expression of the request mentions.
    #[error("Value provided in {field} unused in expressions: keys: {{{keys}}}", keys = keys.join(", "))]
    SubstitutionsUnused {
        /// `ExpressionAttributeNames` or `ExpressionAttributeValues`.
        field: &'static str,
        /// Which.
        keys: Vec<String>,
    },
    /// A filter of a query must leave the key to the key condition.
    #[error("Filter Expression can only contain non-primary key attributes: Primary key attribute: {name}")]
    FilterKey {
        /// The key attribute.
        name: String,
    },
    /// An update of a key attribute.
    #[error(
        "One or more parameter values were invalid: Cannot update attribute {name}. This attribute is part \
        of the key"
    )]
    UpdateKey {
        /// The key attribute.
        name: String,
    },
    /// An update of something whose parent is missing or of another type.
    #[error("The document path provided in the update expression is invalid for update")]
    UpdatePath,
    /// An update that reads something missing.
    #[error("The provided expression refers to an attribute that does not exist in the item")]
    MissingAttribute,
    /// An update that reads something of the wrong type.
    #[error("An operand in the update expression has an incorrect data type")]
    IncorrectType,
    /// An update whose arithmetic leaves the range of numbers.
    #[error(transparent)]
    Number(#[from] InvalidNumber),
    /// An update that would write more than an item may hold.
    #[error("Item size to update has exceeded the maximum allowed size; limit: {max}", max = ITEM_BYTES_MAX)]
    ItemSize,
    /// An update that would nest lists and maps too deeply.
    #[error(
        "Nesting Levels have exceeded supported limits: Attributes in the item have nested levels beyond \
        supported limit; limit: {max}",
        max = NESTING_MAX
    )]
    ItemNesting,
}

/// What is wrong with the text of an expression, given its substitutions.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Cause {
    /// No text.
    #[error("The expression can not be empty;")]
    Empty,
    /// Too much text.
    #[error(
        "Expression size has exceeded the maximum allowed size; expression size: {bytes}, limit: {max}",
        max = EXPRESSION_BYTES_MAX
    )]
    Size {
        /// The text's size.
        bytes: usize,
    },
    /// A token that cannot stand where it does.
    #[error("Syntax error; token: \"{token}\", near: \"{near}\"")]
    Syntax {
        /// The token, `<EOF>` at the end of the text.
        token: String,
        /// The text from the token before it to the one after it.
        near: String,
    },
    /// Parentheses and `NOT`s, or functions, inside one another.
    #[error("The expression is nested too deeply; limit: {max}")]
    Nesting {
        /// How deep it may be.
        max: usize,
    },
    /// Operators and functions together.
    #[error(
        "The expression contains too many operators; operator count: {count}, limit: {max}",
        max = EXPRESSION_OPERATORS_MAX
    )]
    Operators {
        /// How many there are.
        count: usize,
    },
    /// Operands of one `IN`.
    #[error(
        "The IN operator is provided with too many operands; number of operands: {count}, limit: {max}",
        max = IN_OPERANDS_MAX
    )]
    InOperands {
        /// How many there are.
        count: usize,
    },
    /// A `#name` or `:value` that is too long.
    #[error("A substitution token is too long; size of token: {bytes}, limit: {max}",
        max = SUBSTITUTION_TOKEN_BYTES_MAX)]
    TokenLength {
        /// How long it is.
        bytes: usize,
    },
    /// An attribute name that needs a `#name` to be written.
    #[error("Attribute name is a reserved keyword; reserved keyword: {word}")]
    ReservedWord {
        /// The word as written.
        word: String,
    },
    /// `((…))`.
    #[error("The expression has redundant parentheses;")]
    RedundantParentheses,
    /// A function that no expression has; names of functions are case-sensitive.
    #[error("Invalid function name; function: {function}")]
    UnknownFunction {
        /// The name as written.
        function: String,
    },
    /// A function that exists and may not stand there.
    #[error("The function is not allowed to be used this way in an expression; function: {function}")]
    MisusedFunction {
        /// Its name.
        function: &'static str,
    },
    /// Too few or too many operands.
    #[error(
        "Incorrect number of operands for operator or function; operator or function: {function}, number of \
        operands: {count}"
    )]
    OperandCount {
        /// The function.
        function: &'static str,
        /// How many there are.
        count: usize,
    },
    /// A value where only a document path makes sense.
    #[error("Operator or function requires a document path; operator or function: {function}")]
    PathRequired {
        /// The function.
        function: &'static str,
    },
    /// An operand known to have a type that never fits.
    #[error(
        "Incorrect operand type for operator or function; operator or function: {operator}, operand type: \
        {found}"
    )]
    OperandType {
        /// The operator or function.
        operator: &'static str,
        /// The operand's type.
        found: &'static str,
    },
    /// A value that `ADD` or `DELETE` cannot take.
    #[error("Incorrect operand type for operator or function; operator: {section}, operand type: {found}")]
    SectionOperandType {
        /// `ADD` or `DELETE`.
        section: &'static str,
        /// The operand's type, in the long names that DynamoDB uses here.
        found: &'static str,
    },
    /// A second operand of `attribute_type` that names no type.
    #[error(
        "Invalid attribute type name found; token: {token}, valid types: {{B,NULL,SS,BOOL,L,BS,N,NS,S,M}}"
    )]
    AttributeTypeName {
        /// The `:value` that holds it.
        token: String,
    },
    /// A path compared with itself.
    #[error(
        "The first operand must be distinct from the remaining operands for this operator or function; \
        operator: {operator}, first operand: {path}"
    )]
    SameOperand {
        /// The operator or function.
        operator: &'static str,
        /// The path.
        path: String,
    },
    /// Bounds of different types.
    #[error(
        "The BETWEEN operator requires same data type for lower and upper bounds; lower bound operand: \
        {lower}, upper bound operand: {upper}"
    )]
    BetweenTypes {
        /// Token of the lower bound.
        lower: String,
        /// Token of the upper bound.
        upper: String,
    },
    /// Bounds in the wrong order.
    #[error(
        "The BETWEEN operator requires upper bound to be greater than or equal to lower bound; lower bound \
        operand: {lower}, upper bound operand: {upper}"
    )]
    BetweenOrder {
        /// Token of the lower bound.
        lower: String,
        /// Token of the upper bound.
        upper: String,
    },
    /// A list index past 31 bits.
    #[error("List index is not within the allowable range; index: [{index}]")]
    ListIndex {
        /// As written.
        index: String,
    },
    /// A document path deeper than any item.
    #[error(
        "The document path has too many nesting elements; nesting levels: {levels}, limit: {max}",
        max = NESTING_MAX
    )]
    PathDepth {
        /// Its names and indexes.
        levels: usize,
    },
    /// A `#name` that the request does not give.
    #[error("An expression attribute name used in the document path is not defined; attribute name: {name}")]
    UndefinedName {
        /// The `#name`.
        name: String,
    },
    /// A `:value` that the request does not give.
    #[error("An expression attribute value used in expression is not defined; attribute value: {value}")]
    UndefinedValue {
        /// The `:value`.
        value: String,
    },
    /// Two `SET`s, `REMOVE`s, `ADD`s or `DELETE`s.
    #[error("The \"{section}\" section can only be used once in an update expression;")]
    SectionTwice {
        /// Which.
        section: &'static str,
    },
    /// One path contains the other.
    #[error(
        "Two document paths overlap with each other; must remove or rewrite one of these paths; path one: \
        {one}, path two: {two}"
    )]
    PathsOverlap {
        /// The path written first.
        one: String,
        /// The other.
        two: String,
    },
    /// One path needs a map where the other needs a list.
    #[error(
        "Two document paths conflict with each other; must remove or rewrite one of these paths; path one: \
        {one}, path two: {two}"
    )]
    PathsConflict {
        /// The path written first.
        one: String,
        /// The other.
        two: String,
    },
}

/// Why a key condition selects no range of keys.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum KeyCause {
    /// Only `=`, `<`, `<=`, `>`, `>=`, `BETWEEN`, `AND` and `begins_with` are allowed.
    #[error("Invalid operator used in KeyConditionExpression: {operator}")]
    Operator {
        /// The operator or function.
        operator: &'static str,
    },
    /// `BETWEEN` and `begins_with` want the key attribute first.
    #[error(
        "Invalid condition in KeyConditionExpression: {operator} operator must have the key attribute as its \
        first operand"
    )]
    FirstOperand {
        /// Which.
        operator: &'static str,
    },
    /// `size` inside a key condition.
    #[error("KeyConditionExpressions cannot contain nested operations")]
    NestedOperation,
    /// Two attributes compared with each other.
    #[error("Invalid condition in KeyConditionExpression: Multiple attribute names used in one condition")]
    ManyNames,
    /// A document path below an attribute.
    #[error("KeyConditionExpressions cannot have conditions on nested attributes")]
    NestedAttribute,
    /// Two values compared with each other.
    #[error("Invalid condition in KeyConditionExpression: No key attribute specified")]
    NoName,
    /// Two conditions for one attribute.
    #[error("KeyConditionExpressions must only contain one condition per key")]
    Repeated,
    /// More than two conditions.
    #[error("Conditions can be of length 1 or 2 only")]
    Count,
    /// A key attribute without its condition.
    #[error("Query condition missed key schema element: {name}")]
    Missing {
        /// The key attribute.
        name: String,
    },
    /// A condition that the key cannot answer: other than `=` on the partition key, or on no key attribute.
    #[error("Query key condition not supported")]
    Unsupported,
    /// A value of another type than the key attribute's.
    #[error("One or more parameter values were invalid: Condition parameter type does not match schema type")]
    Type,
}
