//! The bounds on what is known of a person: by a header, by a token or by the app.

use flagstaff_flags::User;

/// Bytes of an id, a group or a role. Longer ids are not valid, longer groups and roles are left out.
const MAX_NAME_BYTES: usize = 256;
/// Groups, and roles, of one person. More are left out.
const MAX_NAMES: usize = 64;

/// The person within the bounds; `None` when the id is not valid.
pub(crate) fn bounded(mut user: User) -> Option<User> {
    let fits =
        |text: &String| !text.is_empty() && text.len() <= MAX_NAME_BYTES && !text.chars().any(char::is_control);
    for list in [&mut user.groups, &mut user.roles] {
        list.retain(&fits);
        list.truncate(MAX_NAMES);
    }
    fits(&user.id).then_some(user)
}
