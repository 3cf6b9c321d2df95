//! Numbers as people read them.

/// A number with a comma between groups of three digits.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// The same for a count of things in memory.
pub(crate) fn count(number: usize) -> String {
    grouped(number as u64)
}

/// A count with its noun, in the plural where it belongs.
pub(crate) fn things(number: usize, singular: &str) -> String {
    let ending = if number == 1 { "" } else { "s" };
    format!("{} {singular}{ending}", count(number))
}

/// Bytes in MiB, with one decimal.
pub(crate) fn mib(bytes: u64) -> String {
    // Cannot overflow: 2^64 * 10 is less than 2^128.
    let tenths = (u128::from(bytes) * 10 + (1 << 19)) >> 20;
    let whole = u64::try_from(tenths / 10).expect("it is less than the bytes");
    format!("{}.{}", grouped(whole), tenths % 10)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(0, "0")]
    #[case(999, "999")]
    #[case(1000, "1,000")]
    #[case(36_082, "36,082")]
    #[case(4_294_967_295, "4,294,967,295")]
    fn digits_are_grouped_by_three(#[case] number: u64, #[case] expected: &str) {
        assert_eq!(grouped(number), expected);
    }

    #[rstest]
    #[case(0, "0 messages")]
    #[case(1, "1 message")]
    #[case(1200, "1,200 messages")]
    fn only_one_thing_is_singular(#[case] number: usize, #[case] expected: &str) {
        assert_eq!(things(number, "message"), expected);
    }

    #[rstest]
    #[case(0, "0.0")]
    #[case(52_428, "0.0")]
    #[case(52_429, "0.1")]
    #[case(1 << 20, "1.0")]
    #[case((1 << 30) + (1 << 19), "1,024.5")]
    #[case(u64::MAX, "17,592,186,044,416.0")]
    fn bytes_are_rounded_to_a_tenth_of_a_mebibyte(#[case] bytes: u64, #[case] expected: &str) {
        assert_eq!(mib(bytes), expected);
    }
}
