//! The person who gives a command.

/// The longest name of a person, in characters.
const LONGEST_NAME: usize = 100;

/// The user who is logged in.
pub(crate) fn logged_in() -> Option<String> {
    std::env::var("USER").ok().filter(|name| !name.trim().is_empty())
}

/// The person who gives a command: as said, or the user who is logged in.
pub(crate) fn person(said: Option<&str>) -> String {
    let name = said.map(Into::into).or_else(logged_in).unwrap_or_default();
    // it is shown in terminals and logs
    let plain: String = name.chars().filter(|c| !c.is_control()).take(LONGEST_NAME).collect();
    if plain.trim().is_empty() { "someone".into() } else { plain.trim().into() }
}
