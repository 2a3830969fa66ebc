//! Tests as queries of GO Feature Flag.

use super::test::Test;

/// A query.
///
/// # Errors
/// With what it has no words for.
pub(super) fn query(test: &Test) -> Result<String, String> {
    Ok(match test {
        Test::Always => return Err("a test that always holds".into()),
        Test::Cannot(what) => return Err(what.clone()),
        Test::In(name, words) => format!("{} in [{}]", attribute(name)?, list(words)?),
        Test::Has(name, _) => return Err(format!("lists (`{name}`), which its queries cannot look into")),
        Test::Starts(name, word) => format!("{} sw {}", attribute(name)?, quoted(word)?),
        Test::Ends(name, word) => format!("{} ew {}", attribute(name)?, quoted(word)?),
        Test::Contains(name, word) => format!("{} co {}", attribute(name)?, quoted(word)?),
        Test::AtLeast(name, version) => format!("{} ge {version}", attribute(name)?),
        Test::Below(name, version) => format!("{} lt {version}", attribute(name)?),
        Test::Known(name) => format!("{} pr", attribute(name)?),
        Test::After(_) | Test::Before(_) => return Err("times, which stand under `scheduledRollout` there".into()),
        Test::AnyCase(inner) => match &**inner {
            // `in` minds case, and `eq` does not
            Test::In(name, words) => {
                let name = attribute(name)?;
                let all = words.iter().map(|word| Ok(format!("({name} eq {})", quoted(word)?)));
                all.collect::<Result<Vec<_>, String>>()?.join(" or ")
            }
            other => query(other)?,
        },
        Test::Not(inner) => format!("not ({})", query(inner)?),
        Test::All(all) => joined(all, " and ")?,
        Test::Any(all) => joined(all, " or ")?,
    })
}

fn joined(all: &[Test], with: &str) -> Result<String, String> {
    let all = all.iter().map(|one| Ok(format!("({})", query(one)?))).collect::<Result<Vec<_>, String>>()?;
    Ok(all.join(with))
}

/// A name that a query takes; a dot in it would be a way into an object.
fn attribute(name: &str) -> Result<&str, String> {
    let is_plain = name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    is_plain.then_some(name).ok_or_else(|| format!("the attribute `{name}`, which its queries cannot name"))
}

fn list(words: &[String]) -> Result<String, String> {
    Ok(words.iter().map(|word| quoted(word)).collect::<Result<Vec<_>, _>>()?.join(", "))
}

/// Its queries know no way to write a quote inside of quotes.
fn quoted(word: &str) -> Result<String, String> {
    let is_plain = !word.contains(['"', '\\']) && !word.chars().any(char::is_control);
    is_plain
        .then(|| format!("\"{word}\""))
        .ok_or_else(|| format!("the text {word:?}, which its queries cannot quote"))
}
