//! Who does something by command.

/// The longest name of a person, in characters.
const LONGEST_NAME: usize = 100;

/// The person who asks for something: as said, or the user who is logged in.
pub(crate) fn by(said: Option<&str>) -> String {
    let logged_in = || std::env::var("USER").ok().filter(|name| !name.trim().is_empty());
    let name = said.map(Into::into).or_else(logged_in).unwrap_or_default();
    // it is shown in terminals and logs
    let plain: String = name.chars().filter(|c| !c.is_control()).take(LONGEST_NAME).collect();
    if plain.trim().is_empty() { "someone".into() } else { plain.trim().into() }
}
