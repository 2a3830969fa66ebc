//! What a revision changes, in a few words.

use flagstaff_flags::printable;
use flagstaff_operations::history::{KeyChange, PartChange, PartFate};

use crate::terminal::{BAD, GOOD, STRONG, styled};

/// As many parts, and keys of a part, are told.
const TOLD: usize = 4;

/// What changes, in one line.
pub(crate) fn in_a_line(changes: &[PartChange], is_cut: bool) -> String {
    let mut told: Vec<_> = changes.iter().take(TOLD).map(part).collect();
    match changes.len().saturating_sub(TOLD) {
        0 if is_cut => told.push("and more".into()),
        0 => {}
        more => told.push(format!("and {more} more")),
    }
    told.join("; ")
}

/// What changes of one part: `form: percent 5 → 10`.
pub(crate) fn part(part: &PartChange) -> String {
    let name = match (part.flag(), &part.name) {
        (Some(flag), _) => flag.to_owned(),
        (None, Some(name)) => format!("{}.{name}", part.section),
        (None, None) => part.section.clone(),
    };
    let name = styled(STRONG, &printable(&name));
    match part.change {
        PartFate::Added => format!("{name} {}", styled(GOOD, "new")),
        PartFate::Removed => format!("{name} {}", styled(BAD, "gone")),
        PartFate::Changed => {
            let mut keys: Vec<_> = part.keys.iter().take(TOLD).map(key).collect();
            let more = part.keys.len().saturating_sub(TOLD);
            keys.extend((more > 0).then(|| format!("{more} more keys")));
            format!("{name}: {}", keys.join(", "))
        }
    }
}

fn key(key: &KeyChange) -> String {
    let value =
        |value: &Option<String>| value.as_deref().map_or("–".to_owned(), |value| printable(value).into_owned());
    format!("{} {} → {}", printable(&key.key), value(&key.before), value(&key.after))
}
