//! Values of arguments.

/// Reads `5%` or `0.05`.
pub(super) fn share(text: &str) -> Result<f64, String> {
    let (number, unit) = match text.strip_suffix('%') {
        Some(number) => (number, 100.0),
        None => (text, 1.0),
    };
    let number: f64 = number.trim().parse().map_err(|_| "write it as 5% or 0.05")?;
    if !number.is_finite() {
        return Err("write it as 5% or 0.05".into());
    }
    if unit == 1.0 && number.abs() > 1.0 {
        return Err(format!(
            "did you mean {text}%? Without the sign it lies between 0 and 1, which is between 0% and 100%"
        ));
    }
    Ok(number / unit)
}

/// Reads `500/10000`.
pub(super) fn count(text: &str) -> Result<(u64, u64), String> {
    let read = |text: &str| text.trim().replace('_', "").parse().ok();
    let pair = text.split_once('/').and_then(|(x, n)| Some((read(x)?, read(n)?)));
    pair.ok_or_else(|| "write conversions and visitors as 500/10000".into())
}

pub(super) fn pair(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("write NAME=VALUE")?;
    if key.trim().is_empty() { Err("write NAME=VALUE".into()) } else { Ok((key.trim().into(), value.into())) }
}

/// An id of a visitor or a user. One in 64 of our own begins with a hyphen; two hyphens begin an option that is mistyped,
/// unless the text is as long as our ids are.
pub(super) fn id(text: &str) -> Result<String, String> {
    match text.starts_with("--") && text.len() != 22 {
        true => Err("looks like an option".to_owned()),
        false => Ok(text.to_owned()),
    }
}
