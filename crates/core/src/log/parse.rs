//! Times as logs have them: RFC 3339.

use std::fmt;

use crate::time::{Timestamp, parse_duration};

const DAY: i64 = 86_400_000;

/// The text says no time to begin at.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is neither a time nor a length of time")]
pub struct BadSince(String);

/// Reads `10m` (before now) or `2026-11-27T20:50:46Z`.
pub fn parse_since(text: &str, now: Timestamp) -> Result<Timestamp, BadSince> {
    let text = text.trim();
    if let Ok(ago) = parse_duration(text) {
        let ago = i64::try_from(ago.as_millis()).unwrap_or(i64::MAX);
        return Ok(Timestamp(now.0.saturating_sub(ago)));
    }
    let whole = |text: &str| match leading_time(text) {
        Some((time, "")) => Some(time),
        _ => None,
    };
    // In a query, a `+` that was not escaped is a space.
    let found = whole(text).or_else(|| whole(&text.replacen(' ', "+", 1)));
    found.ok_or_else(|| BadSince(text.chars().take(40).collect()))
}

/// The time that a text begins with, and what comes behind it.
pub(super) fn leading_time(text: &str) -> Option<(Timestamp, &str)> {
    let mut rest = Rest(text);
    let year = rest.number(4)?;
    rest.sign("-")?;
    let month = rest.number(2).filter(|month| (1..=12).contains(month))?;
    rest.sign("-")?;
    let day = rest.number(2).filter(|day| (1..=31).contains(day))?;
    rest.sign("Tt ")?;
    let hour = rest.number(2).filter(|hour| *hour < 24)?;
    rest.sign(":")?;
    let minute = rest.number(2).filter(|minute| *minute < 60)?;
    rest.sign(":")?;
    // A leap second is the last of its minute, twice.
    let second = rest.number(2).filter(|second| *second <= 60)?.min(59);
    let millis = if rest.sign(".,").is_some() { rest.fraction()? } else { 0 };
    let offset = match rest.sign("Zz+-")? {
        'Z' | 'z' => 0,
        sign => {
            let hours = rest.number(2).filter(|hours| *hours < 24)?;
            rest.sign(":");
            let minutes = rest.number(2).filter(|minutes| *minutes < 60)?;
            (hours * 60 + minutes) * if sign == '-' { -1 } else { 1 }
        }
    };
    let date = days(year, month, day);
    if civil(date) != (year, month, day) {
        return None;
    }
    let seconds = hour * 3600 + (minute - offset) * 60 + second;
    Some((Timestamp(date * DAY + seconds * 1000 + millis), rest.0))
}

struct Rest<'a>(&'a str);

impl Rest<'_> {
    fn number(&mut self, digits: usize) -> Option<i64> {
        let (head, rest) = self.0.split_at_checked(digits)?;
        let value = head.bytes().all(|b| b.is_ascii_digit()).then(|| head.parse().ok())??;
        self.0 = rest;
        Some(value)
    }

    fn sign(&mut self, any: &str) -> Option<char> {
        let sign = self.0.chars().next().filter(|sign| any.contains(*sign))?;
        self.0 = &self.0[sign.len_utf8()..];
        Some(sign)
    }

    /// Milliseconds out of as many digits as there are.
    fn fraction(&mut self) -> Option<i64> {
        let length = self.0.bytes().take_while(u8::is_ascii_digit).count();
        let digits = self.0.bytes().take(length).chain(std::iter::repeat(b'0')).take(3);
        let millis = digits.fold(0, |sum, digit| sum * 10 + i64::from(digit - b'0'));
        self.0 = &self.0[length..];
        (length > 0).then_some(millis)
    }
}

/// Days since 1970 of a date. Years begin in March here, so that a leap day is the last.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// The date of a day since 1970.
fn civil(days: i64) -> (i64, i64, i64) {
    let (era, day) = ((days + 719_468).div_euclid(146_097), (days + 719_468).rem_euclid(146_097));
    let of_era = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * of_era + of_era / 4 - of_era / 100);
    let shifted = (5 * day + 2) / 153;
    let month = (shifted + 2) % 12 + 1;
    (of_era + era * 400 + i64::from(month <= 2), month, day - (153 * shifted + 2) / 5 + 1)
}

/// RFC 3339 in UTC, with milliseconds.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = civil(self.0.div_euclid(DAY));
        let millis = self.0.rem_euclid(DAY);
        let (seconds, millis) = (millis / 1000, millis % 1000);
        let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{millis:03}Z")
    }
}
