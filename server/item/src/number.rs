//! Exact decimal numbers as DynamoDB has them: up to 38 significant digits, 1E-130 to 9.99…E+125, and zero.
//!
//! A number is its first digit's power of ten and its digits as one integer, aligned to the left: `120` and
//! `1.2` hold the same digits. So equal values have equal fields, order is the order of the fields, and there
//! are no trailing zeros or negative zeros to think of. Nothing here rounds: a result that does not fit is
//! an error, because a counter that loses a digit silently is worse than one that refuses.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use types::limits::{NUMBER_DIGITS_MAX, NUMBER_EXPONENT_MAX, NUMBER_EXPONENT_MIN, NUMBER_TEXT_BYTES_MAX};

/// The value of the digits of 1: digits are aligned so that the first of 38 is never zero.
const UNIT: u128 = 10_u128.pow(NUMBER_DIGITS_MAX as u32 - 1);
/// Pairs of digits in the ordered encoding.
const PAIRS_MAX: usize = NUMBER_DIGITS_MAX.div_ceil(2);

// One byte of the ordered encoding holds the exponent, and a `u128` holds 38 digits and a carry.
const _: () = assert!(NUMBER_EXPONENT_MAX - NUMBER_EXPONENT_MIN == u8::MAX as i32);
const _: () = assert!(UNIT.checked_mul(20).is_some() && NUMBER_DIGITS_MAX.is_multiple_of(2));

/// First byte of the ordered encoding of a negative number.
const TAG_NEGATIVE: u8 = 1;
/// The ordered encoding of zero.
const TAG_ZERO: u8 = 2;
/// First byte of the ordered encoding of a positive number.
const TAG_POSITIVE: u8 = 3;

/// Why a number's text or a result was refused; the wording is DynamoDB's, with the limit added.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum InvalidNumber {
    /// Not `[+-] digits [. digits] [e [+-] digits]`.
    #[error("The parameter cannot be converted to a numeric value: {text}")]
    Syntax {
        /// What was given, at most `NUMBER_TEXT_BYTES_MAX` bytes.
        text: String,
    },
    /// More text than any number needs.
    #[error("a number's text must be at most {max} bytes; got {bytes} bytes", max = NUMBER_TEXT_BYTES_MAX)]
    Length {
        /// How many bytes were given.
        bytes: usize,
    },
    /// Too many digits between the first and the last that is not zero.
    #[error("Attempting to store more than {max} significant digits in a Number", max = NUMBER_DIGITS_MAX)]
    Digits,
    /// Too far from zero.
    #[error(
        "Number overflow. Attempting to store a number with magnitude larger than supported range: \
        the limit is 9.99...E+{max}",
        max = NUMBER_EXPONENT_MAX
    )]
    Overflow,
    /// Too close to zero, and not zero.
    #[error(
        "Number underflow. Attempting to store a number with magnitude smaller than supported range: \
        the limit is 1E{min}",
        min = NUMBER_EXPONENT_MIN
    )]
    Underflow,
}

/// A decimal number. Two are equal when their values are: `1`, `1.0` and `10E-1` are one number.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Number {
    /// Never set for zero.
    negative: bool,
    /// The power of ten of the first digit; 0 for zero.
    exponent: i16,
    /// The 38 digits, the first not zero; 0 for zero.
    digits: u128,
}

impl Number {
    /// Zero.
    pub const ZERO: Number = Number { negative: false, exponent: 0, digits: 0 };

    /// Parses what Java's `BigDecimal` does: a sign, digits with or without a point, an exponent. Zeros that
    /// do not change the value may pad it and are forgotten, and so is the sign of zero.
    pub fn parse(text: &str) -> Result<Number, InvalidNumber> {
        if text.len() > NUMBER_TEXT_BYTES_MAX {
            return Err(InvalidNumber::Length { bytes: text.len() });
        }
        let syntax = || InvalidNumber::Syntax { text: text.to_owned() };
        let (negative, unsigned) = strip_sign(text);
        let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, parse_exponent(exponent).ok_or_else(syntax)?),
            None => (unsigned, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if whole.len() + fraction.len() == 0 || !is_digits(whole) || !is_digits(fraction) {
            return Err(syntax());
        }
        from_digits(negative, whole, fraction, exponent)
    }

    /// The exact sum. Like DynamoDB, refuses one out of range and one of more than 38 digits (`1E+50 + 1`);
    /// for the latter DynamoDB's message speaks of an overflow, ours of the digits.
    pub fn add(&self, other: &Number) -> Result<Number, InvalidNumber> {
        let (left, left_power) = self.trimmed();
        let (right, right_power) = other.trimmed();
        match (left, right) {
            (0, _) => return Ok(*other),
            (_, 0) => return Ok(*self),
            _ => {}
        }
        // In units of the smaller power one of the two ends in a digit that is not zero, and so does an
        // inexact result: past the range of `u128` it has more than 38 digits for certain.
        let power = left_power.min(right_power);
        let scale = |coefficient: u128, of: i32| {
            let factor = 10_u128.checked_pow((of - power) as u32)?;
            coefficient.checked_mul(factor)
        };
        let left = scale(left, left_power).ok_or(InvalidNumber::Digits)?;
        let right = scale(right, right_power).ok_or(InvalidNumber::Digits)?;
        let (negative, sum) = match (self.negative == other.negative, left.cmp(&right)) {
            (true, _) => (self.negative, left.checked_add(right).ok_or(InvalidNumber::Digits)?),
            (false, Ordering::Less) => (other.negative, right - left),
            (false, Ordering::Equal) => return Ok(Number::ZERO),
            (false, Ordering::Greater) => (self.negative, left - right),
        };
        from_coefficient(negative, sum, power)
    }

    /// The exact difference; refuses as `add` does.
    pub fn sub(&self, other: &Number) -> Result<Number, InvalidNumber> {
        self.add(&other.negated())
    }

    /// The number with the other sign.
    pub fn negated(&self) -> Number {
        Number { negative: !self.negative && self.digits != 0, ..*self }
    }

    /// Whether it is below zero.
    pub fn is_negative(&self) -> bool {
        self.negative
    }

    /// Digits between the first and the last that is not zero, 0 to 38; zero has none.
    pub fn significant_digits(&self) -> usize {
        match self.trimmed().0 {
            0 => 0,
            coefficient => coefficient.ilog10() as usize + 1,
        }
    }

    /// The power of ten of the first digit, -130 to 125; 0 for zero.
    pub fn exponent(&self) -> i32 {
        i32::from(self.exponent)
    }

    /// The value, when it is a whole number of this range.
    pub fn to_i64(&self) -> Option<i64> {
        let magnitude = i128::try_from(self.to_whole()?).ok()?;
        i64::try_from(if self.negative { -magnitude } else { magnitude }).ok()
    }

    /// The value, when it is a whole number of this range.
    pub fn to_u64(&self) -> Option<u64> {
        if self.negative { None } else { u64::try_from(self.to_whole()?).ok() }
    }

    /// Appends bytes that sort as the number does and say themselves where they end: a tag for the sign, the
    /// exponent, then pairs of digits, each doubled, plus one when another pair follows. Everything after
    /// the tag is inverted for negative numbers. At most 21 bytes.
    pub fn encode_ordered(&self, bytes: &mut Vec<u8>) {
        if self.digits == 0 {
            return bytes.push(TAG_ZERO);
        }
        let mask = if self.negative { 0xff } else { 0 };
        bytes.push(if self.negative { TAG_NEGATIVE } else { TAG_POSITIVE });
        bytes.push((i32::from(self.exponent) - NUMBER_EXPONENT_MIN) as u8 ^ mask);
        let (mut rest, mut place) = (self.digits, UNIT / 10);
        while rest > 0 {
            let pair = (rest / place) as u8;
            rest %= place;
            place /= 100;
            bytes.push((pair * 2 + u8::from(rest > 0)) ^ mask);
        }
    }

    /// Takes one number off the front of `bytes`; `None` when they are not what `encode_ordered` makes.
    pub fn decode_ordered(bytes: &mut &[u8]) -> Option<Number> {
        let (&tag, after_tag) = bytes.split_first()?;
        let negative = match tag {
            TAG_ZERO => {
                *bytes = after_tag;
                return Some(Number::ZERO);
            }
            TAG_NEGATIVE => true,
            TAG_POSITIVE => false,
            _ => return None,
        };
        let mask = if negative { 0xff } else { 0 };
        let (&exponent, mut rest) = after_tag.split_first()?;
        let (mut digits, mut place) = (0, UNIT / 10);
        for _ in 0..PAIRS_MAX {
            let (&byte, after) = rest.split_first()?;
            rest = after;
            let (pair, more) = ((byte ^ mask) / 2, (byte ^ mask) % 2 == 1);
            if pair > 99 || (digits == 0 && pair < 10) || (pair == 0 && !more) {
                return None;
            }
            digits += u128::from(pair) * place;
            place /= 100;
            if !more {
                *bytes = rest;
                let exponent = i16::from(exponent ^ mask) + NUMBER_EXPONENT_MIN as i16;
                return Some(Number { negative, exponent, digits });
            }
        }
        None
    }

    /// The digits without trailing zeros as an integer, and the power of ten of its last digit.
    fn trimmed(&self) -> (u128, i32) {
        let (mut coefficient, mut power) =
            (self.digits, i32::from(self.exponent) + 1 - NUMBER_DIGITS_MAX as i32);
        if coefficient == 0 {
            return (0, 0);
        }
        // Steps of halving width instead of up to 37 divisions by ten.
        for width in [16, 8, 4, 2, 1] {
            let factor = 10_u128.pow(width);
            while coefficient.is_multiple_of(factor) {
                coefficient /= factor;
                power += width as i32;
            }
        }
        (coefficient, power)
    }

    /// The magnitude, when it is a whole number below 10^38.
    fn to_whole(self) -> Option<u128> {
        let (coefficient, power) = self.trimmed();
        coefficient.checked_mul(10_u128.checked_pow(u32::try_from(power).ok()?)?)
    }
}

/// Splits a leading sign off; whether it is a minus, and the rest.
fn strip_sign(text: &str) -> (bool, &str) {
    match text.as_bytes().first() {
        Some(b'-') => (true, &text[1..]),
        Some(b'+') => (false, &text[1..]),
        _ => (false, text),
    }
}

/// An exponent's value, capped far outside the range of numbers and far inside that of `i32`.
fn parse_exponent(text: &str) -> Option<i32> {
    let (negative, digits) = strip_sign(text);
    if digits.is_empty() {
        return None;
    }
    let mut value = 0_i32;
    for byte in digits.bytes() {
        let digit = byte.is_ascii_digit().then(|| i32::from(byte - b'0'))?;
        value = (value * 10 + digit).min(100_000);
    }
    Some(if negative { -value } else { value })
}

/// The number `whole.fraction × 10^exponent`; both texts hold digits alone.
fn from_digits(negative: bool, whole: &str, fraction: &str, exponent: i32) -> Result<Number, InvalidNumber> {
    let places = || whole.bytes().chain(fraction.bytes());
    let Some(first) = places().position(|digit| digit != b'0') else {
        return Ok(Number::ZERO);
    };
    let last = places().enumerate().filter(|(_, digit)| *digit != b'0').last().map_or(first, |(at, _)| at);
    if last - first >= NUMBER_DIGITS_MAX {
        return Err(InvalidNumber::Digits);
    }
    let coefficient =
        places().skip(first).take(last - first + 1).fold(0, |sum, digit| sum * 10 + u128::from(digit - b'0'));
    from_coefficient(negative, coefficient, exponent + whole.len() as i32 - 1 - last as i32)
}

/// The number `coefficient × 10^power`, for a coefficient that is not zero.
fn from_coefficient(negative: bool, coefficient: u128, power: i32) -> Result<Number, InvalidNumber> {
    let length = coefficient.ilog10() as i32 + 1;
    let exponent = power + length - 1;
    let spare = NUMBER_DIGITS_MAX as i32 - length;
    let digits = if spare >= 0 {
        coefficient * 10_u128.pow(spare as u32)
    } else {
        // A sum of two 38-digit integers has one digit more at most; it fits when its last is zero.
        if !coefficient.is_multiple_of(10) {
            return Err(InvalidNumber::Digits);
        }
        coefficient / 10
    };
    if exponent > NUMBER_EXPONENT_MAX {
        Err(InvalidNumber::Overflow)
    } else if exponent < NUMBER_EXPONENT_MIN {
        Err(InvalidNumber::Underflow)
    } else {
        Ok(Number { negative, exponent: exponent as i16, digits })
    }
}

impl Ord for Number {
    fn cmp(&self, other: &Self) -> Ordering {
        let sign = |number: &Number| match (number.digits, number.negative) {
            (0, _) => 0,
            (_, true) => -1,
            (_, false) => 1,
        };
        let magnitude = || (self.exponent, self.digits).cmp(&(other.exponent, other.digits));
        match (sign(self).cmp(&sign(other)), self.negative) {
            (Ordering::Equal, false) => magnitude(),
            (Ordering::Equal, true) => magnitude().reverse(),
            (different, _) => different,
        }
    }
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl FromStr for Number {
    type Err = InvalidNumber;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Number::parse(text)
    }
}

impl From<u64> for Number {
    fn from(value: u64) -> Self {
        match value {
            0 => Number::ZERO,
            _ => from_coefficient(false, value.into(), 0).expect("20 digits are within the limits"),
        }
    }
}

impl From<i64> for Number {
    fn from(value: i64) -> Self {
        let magnitude = Number::from(value.unsigned_abs());
        if value < 0 { magnitude.negated() } else { magnitude }
    }
}

/// Plain digits, never an exponent, no zeros that do not count: what DynamoDB returns, whatever it was given
/// (`1E+125` comes back as 1 and 125 zeros). At most 170 bytes.
impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (coefficient, power) = self.trimmed();
        let digits = coefficient.to_string();
        let sign = if self.negative { "-" } else { "" };
        let point = digits.len() as i32 + power;
        if power >= 0 {
            write!(f, "{sign}{digits}{:0<zeros$}", "", zeros = power as usize)
        } else if point > 0 {
            let (whole, fraction) = digits.split_at(point as usize);
            write!(f, "{sign}{whole}.{fraction}")
        } else {
            write!(f, "{sign}0.{:0<zeros$}{digits}", "", zeros = -point as usize)
        }
    }
}

impl fmt::Debug for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Numbers of all lengths, signs and magnitudes; short ones often, so that equal and close ones meet.
    pub(crate) fn any_number() -> impl Strategy<Value = Number> {
        let digits = prop_oneof![0..=12_u128, 0..10_u128.pow(19), 0..10_u128.pow(38)];
        let power = prop_oneof![-3..=3_i32, NUMBER_EXPONENT_MIN..=88];
        (any::<bool>(), digits, power).prop_map(|(negative, digits, power)| {
            if digits == 0 { Number::ZERO } else { from_coefficient(negative, digits, power).unwrap() }
        })
    }

    fn number(text: &str) -> Number {
        text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    fn encoded(number: Number) -> Vec<u8> {
        let mut bytes = Vec::new();
        number.encode_ordered(&mut bytes);
        bytes
    }

    #[test]
    fn text_is_canonical_as_dynamodb_returns_it() {
        let zeros = "0".repeat(125);
        for (given, shown) in [
            ("0", "0"),
            ("-0", "0"),
            ("0e1000", "0"),
            ("00042", "42"),
            ("+3", "3"),
            (".123", "0.123"),
            ("5.", "5"),
            ("1.0", "1"),
            ("0001.2300", "1.23"),
            ("1.5E2", "150"),
            ("1e+5", "100000"),
            ("-17.4E37", "-174000000000000000000000000000000000000"),
            ("1234.5e-2", "12.345"),
            ("-0.00120", "-0.0012"),
            ("1E125", &format!("1{zeros}")),
            ("-1E-130", &format!("-0.{zeros}00001")),
            ("99999999999999999999999999999999999999", "99999999999999999999999999999999999999"),
            ("3.1415926535897932384626433832795028841", "3.1415926535897932384626433832795028841"),
        ] {
            assert_eq!(number(given).to_string(), shown, "{given}");
        }
    }

    #[test]
    fn text_that_is_no_number_is_refused() {
        for text in [
            "",
            "-",
            "+",
            ".",
            "-.",
            "e5",
            "1e",
            "1e+",
            "1e5.0",
            "1.2.3",
            "--1",
            "+-1",
            " 1",
            "1 ",
            "1_000",
            "NaN",
            "Infinity",
            "-Infinity",
            "0x1f",
            "dog",
            "1e5e5",
            "\u{664}",
            "1\0",
        ] {
            assert_eq!(Number::parse(text), Err(InvalidNumber::Syntax { text: text.to_owned() }), "{text:?}");
        }
    }

    #[test]
    fn limits_are_dynamodbs() {
        let digits = |count: usize| "7".repeat(count);
        for text in
            [&digits(38), "9.9999999999999999999999999999999999999E125", "1E-130", "0.1E-129", "123e123"]
        {
            number(text);
        }
        for (text, refused) in [
            (digits(39).as_str(), InvalidNumber::Digits),
            ("3.14159265358979323846264338327950288419", InvalidNumber::Digits),
            ("1e126", InvalidNumber::Overflow),
            ("-11e125", InvalidNumber::Overflow),
            ("1e99999999999999999999", InvalidNumber::Overflow),
            ("1e-131", InvalidNumber::Underflow),
            ("-0.9e-130", InvalidNumber::Underflow),
            ("1e-99999999999999999999", InvalidNumber::Underflow),
        ] {
            assert_eq!(Number::parse(text), Err(refused), "{text}");
        }
    }

    #[test]
    fn zeros_may_pad_up_to_the_length_limit() {
        let padded = |bytes: usize| format!("{}7.0", "0".repeat(bytes - 3));
        assert_eq!(number(&padded(1024)), number("7"));
        assert_eq!(Number::parse(&padded(1025)), Err(InvalidNumber::Length { bytes: 1025 }));
        assert_eq!(number(&format!("0.{}1e900", "0".repeat(900))), number("0.1"));
    }

    #[test]
    fn sums_are_exact_or_refused() {
        let nines = "9".repeat(38);
        for (left, right, sum) in [
            ("1", "10000000000000000000000", "10000000000000000000001"),
            ("0.1", "0.2", "0.3"),
            ("5", "-5", "0"),
            ("1e38", "-1", &nines),
            (&nines, "1", "1e38"),
            ("-1e38", "1", &format!("-{nines}")),
            ("1", "-0.99999999999999999999999999999999999999", "1e-38"),
            ("9e125", "-9e125", "0"),
            ("2.5e-130", "-1.5e-130", "1e-130"),
            ("0", "1e-130", "1e-130"),
        ] {
            assert_eq!(number(left).add(&number(right)), Ok(number(sum)), "{left} + {right}");
            assert_eq!(number(left).sub(&number(right).negated()), Ok(number(sum)), "{left} - -{right}");
        }
        for (left, right, refused) in [
            ("1e50", "1", InvalidNumber::Digits),
            ("1e50", "-1", InvalidNumber::Digits),
            ("1e38", "1", InvalidNumber::Digits),
            ("1e125", "-1e-130", InvalidNumber::Digits),
            (&nines, &nines, InvalidNumber::Digits),
            ("9e125", "9e125", InvalidNumber::Overflow),
            ("-9e125", "-1e125", InvalidNumber::Overflow),
            ("1.5e-130", "-1e-130", InvalidNumber::Underflow),
        ] {
            assert_eq!(number(left).add(&number(right)), Err(refused), "{left} + {right}");
        }
    }

    #[test]
    fn integers_convert_at_their_ends() {
        for value in [i64::MIN, i64::MIN + 1, -1, 0, 1, 10, i64::MAX] {
            assert_eq!(Number::from(value).to_string(), value.to_string());
            assert_eq!(Number::from(value).to_i64(), Some(value));
        }
        for value in [0, 1, 1_000_000_000_000_000_000, u64::MAX] {
            assert_eq!(Number::from(value).to_string(), value.to_string());
            assert_eq!(Number::from(value).to_u64(), Some(value));
        }
        for text in ["0.5", "9223372036854775808", "-9223372036854775809", "1e125", "1e38", "1e-130"] {
            assert_eq!(number(text).to_i64(), None, "{text}");
        }
        assert_eq!(number("-1").to_u64(), None);
        assert_eq!(number("18446744073709551616").to_u64(), None);
    }

    #[test]
    fn the_ordered_bytes_are_fixed_for_ever() {
        assert_eq!(encoded(number("0")), [2]);
        assert_eq!(encoded(number("1")), [3, 130, 20]);
        assert_eq!(encoded(number("-1")), [1, !130, !20]);
        assert_eq!(encoded(number("123.4")), [3, 132, 25, 68]);
        assert_eq!(encoded(number("1.001")), [3, 130, 21, 2]);
        assert_eq!(encoded(number("1E-130")), [3, 0, 20]);
        assert_eq!(encoded(number(&"9".repeat(38))).len(), 21);
    }

    #[test]
    fn bytes_in_another_form_are_refused() {
        for bytes in [
            &[][..],
            &[0],
            &[4],
            &[3],
            &[3, 130],
            &[3, 130, 2],
            &[3, 130, 21],
            &[3, 130, 21, 0],
            &[3, 130, 200],
            &[3, 130, 255, 20],
            &[1, 130, 0],
            &[[3, 130].as_slice(), &[199; 19], &[198]].concat(),
        ] {
            assert_eq!(Number::decode_ordered(&mut &*bytes), None, "{bytes:?}");
        }
    }

    proptest! {
        #[test]
        fn text_and_bytes_round_trip(number in any_number(), behind in any::<u8>()) {
            prop_assert_eq!(Number::parse(&number.to_string()), Ok(number));
            prop_assert!(number.to_string().len() <= 170);
            let bytes = [encoded(number), vec![behind]].concat();
            let mut rest = bytes.as_slice();
            prop_assert_eq!(Number::decode_ordered(&mut rest), Some(number));
            prop_assert_eq!(rest, [behind]);
            prop_assert!(bytes.len() <= 22);
        }

        #[test]
        fn bytes_sort_as_numbers_do(a in any_number(), b in any_number()) {
            prop_assert_eq!(encoded(a).cmp(&encoded(b)), a.cmp(&b));
            prop_assert_eq!(a == b, encoded(a) == encoded(b));
            prop_assert!(a == b || !encoded(a).starts_with(&encoded(b)));
        }

        #[test]
        fn agrees_with_integers(
            (a, b) in (-10_i128.pow(18)..10_i128.pow(18), -10_i128.pow(18)..10_i128.pow(18)),
            (up_a, up_b) in (0..18_u32, 0..18_u32),
            down in 0..100_i32,
        ) {
            let of = |value: i128| number(&format!("{value}e-{down}"));
            let (a, b) = (a * 10_i128.pow(up_a), b * 10_i128.pow(up_b));
            prop_assert_eq!(of(a).cmp(&of(b)), a.cmp(&b));
            prop_assert_eq!(of(a).add(&of(b)), Ok(of(a + b)));
            prop_assert_eq!(of(a).sub(&of(b)), Ok(of(a - b)));
        }

        #[test]
        fn what_was_added_can_be_taken_away(a in any_number(), b in any_number()) {
            if let Ok(sum) = a.add(&b) {
                prop_assert_eq!(sum.sub(&b), Ok(a));
                prop_assert_eq!(b.add(&a), Ok(sum));
            }
        }

        #[test]
        fn random_input_never_panics(text in "[-+0-9.eE]{0,50}|.{0,20}", bytes in any::<Vec<u8>>()) {
            if let Ok(number) = Number::parse(&text) {
                prop_assert_eq!(Number::parse(&number.to_string()), Ok(number));
            }
            let mut rest = bytes.as_slice();
            if let Some(number) = Number::decode_ordered(&mut rest) {
                prop_assert_eq!([encoded(number).as_slice(), rest].concat(), bytes);
            }
        }

        #[test]
        fn almost_right_bytes_are_canonical_or_refused(
            tag in 1..=3_u8,
            bytes in proptest::collection::vec(any::<u8>(), 0..22),
        ) {
            let bytes = [vec![tag], bytes].concat();
            let mut rest = bytes.as_slice();
            if let Some(number) = Number::decode_ordered(&mut rest) {
                prop_assert_eq!([encoded(number).as_slice(), rest].concat(), bytes);
            }
        }
    }
}
