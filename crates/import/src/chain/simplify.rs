//! Conditions without what always or never holds in them, so that a step for everybody is seen to be one.

use crate::model::Condition;

/// The same condition, shorter.
pub(crate) fn simplified(condition: Condition) -> Condition {
    match condition {
        Condition::All(list) => joined(list, Condition::Always, Condition::Never, Condition::All),
        Condition::Any(list) => joined(list, Condition::Never, Condition::Always, Condition::Any),
        Condition::Not(inner) => match simplified(*inner) {
            Condition::Always => Condition::Never,
            Condition::Never => Condition::Always,
            Condition::Not(inner) => *inner,
            other => other.negated(),
        },
        other => other,
    }
}

/// A list without what says `nothing` in it; one that says `all` decides for the whole list.
fn joined(
    list: Vec<Condition>,
    nothing: Condition,
    all: Condition,
    join: fn(Vec<Condition>) -> Condition,
) -> Condition {
    let mut kept: Vec<_> = list.into_iter().map(simplified).filter(|one| *one != nothing).collect();
    match kept.len() {
        0 => nothing,
        _ if kept.contains(&all) => all,
        1 => kept.swap_remove(0),
        _ => join(kept),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_always_or_never_holds_is_left_out() {
        let one = || Condition::words("user", ["1"]);
        let all = |list: &[Condition]| simplified(Condition::All(list.to_vec()));
        let any = |list: &[Condition]| simplified(Condition::Any(list.to_vec()));
        assert_eq!(all(&[Condition::Always, one()]), one());
        assert_eq!(all(&[Condition::Never, one()]), Condition::Never);
        assert_eq!(any(&[Condition::Never, one()]), one());
        assert_eq!(any(&[one(), Condition::Always]), Condition::Always);
        assert_eq!((all(&[]), any(&[])), (Condition::Always, Condition::Never));
        assert_eq!(simplified(one().negated().negated()), one());
        assert_eq!(all(&[any(&[]).negated(), one(), one()]), Condition::All(vec![one(), one()]));
    }
}
