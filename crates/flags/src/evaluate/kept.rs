//! Draws that outlive the id they were made with.
//!
//! A visitor who consents gets a new id. Where the old one fell is kept, for the flags of that moment, so that nobody changes
//! variant; what is drawn later is drawn by the new id alone.

use crate::{BucketBy, Draw, Flag, Percent, Serve, Snapshot};

/// Where a unit fell for one salt while it had another id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeptDraw {
    salt: u32,
    by_session: bool,
    draw: Draw,
}

impl KeptDraw {
    /// A draw as [`KeptDraw::parts`] gave it away; `None` when a place is beyond 99,999.
    #[must_use]
    pub fn of_parts(by_session: bool, [salt, position, split]: [u32; 3]) -> Option<Self> {
        Some(Self { salt, by_session, draw: Draw::of_parts(position, split)? })
    }

    /// A number for the salt, the position and the split.
    #[must_use]
    pub const fn parts(&self) -> [u32; 3] {
        [self.salt, self.draw.position(), self.draw.split()]
    }

    /// Whether it belongs to the browser session rather than to the visitor.
    #[must_use]
    pub const fn is_by_session(&self) -> bool {
        self.by_session
    }

    /// The draw kept for a salt, for a flag that draws by this kind of unit.
    pub(crate) fn find(all: &[Self], bucket_by: &BucketBy, salt: &str) -> Option<Draw> {
        let by_session = match bucket_by {
            _ if all.is_empty() => return None,
            BucketBy::Visitor => false,
            BucketBy::Session => true,
            _ => return None,
        };
        let salt = number(salt);
        let found = all.iter().find(|kept| kept.salt == salt && kept.by_session == by_session);
        found.map(|kept| kept.draw)
    }
}

/// A short name for a salt (FNV-1a, folded). That two salts of one file share it is unlikely, and would do no more than let a
/// visitor keep the place of the other flag.
fn number(salt: &str) -> u32 {
    let hash = salt
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
    let [a, b, c, d, e, f, g, h] = hash.to_be_bytes();
    u32::from_be_bytes([a, b, c, d]) ^ u32::from_be_bytes([e, f, g, h])
}

impl Snapshot {
    /// Where a visitor and a session fall for every flag and layer that draws by them, in the order of the file. Flags that are the
    /// same for everybody are left out.
    #[must_use]
    pub fn draws(&self, visitor: &str, session: Option<&str>) -> Vec<KeptDraw> {
        let mut all: Vec<KeptDraw> = Vec::new();
        let mut keep = |bucket_by: &BucketBy, salt: &str| {
            let by_session = *bucket_by == BucketBy::Session;
            let unit = match bucket_by {
                BucketBy::Visitor => visitor,
                BucketBy::Session => session?,
                _ => return None,
            };
            let kept = KeptDraw { salt: number(salt), by_session, draw: Draw::of(salt, unit) };
            let is_new = !all.iter().any(|one| one.salt == kept.salt && one.by_session == by_session);
            is_new.then(|| all.push(kept))
        };
        for flag in self.flags().iter().filter(|flag| is_drawn(flag)) {
            let layers = self.layers.iter().filter(|layer| flag.layer.as_ref() == Some(&layer.name));
            let salts = layers.map(|layer| layer.name.as_str()).chain([flag.salt()]);
            salts.for_each(|salt| {
                keep(&flag.bucket_by, salt);
            });
        }
        all
    }
}

/// Whether anything of it hangs on a draw, now or at a later step of its rollout.
fn is_drawn(flag: &Flag) -> bool {
    let share = flag.share_of_the_rest();
    let by_rule = |serve: &Serve| matches!(serve, Serve::Percent(_));
    flag.variants.are_named()
        || flag.layer.is_some()
        || flag.rollout.is_some()
        || flag.rules.iter().any(|rule| by_rule(&rule.serve))
        || (share != Percent::ZERO && share != Percent::ALL)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use jiff::Timestamp;

    use super::*;
    use crate::{FlagLayer, Name, Slice, Step, Subject};

    fn name(text: &str) -> Name {
        Name::new(text).unwrap()
    }

    fn percent(value: f64) -> Percent {
        Percent::new(value).unwrap()
    }

    fn snapshot(share: f64) -> Arc<Snapshot> {
        let half = Flag { percent: Some(percent(share)), ..Flag::new(name("half")) };
        let by_session = Flag { bucket_by: BucketBy::Session, ..Flag { name: name("by_session"), ..half.clone() } };
        let by_user = Flag { bucket_by: BucketBy::User, ..Flag { name: name("by_user"), ..half.clone() } };
        let layered = Flag { layer: Some(name("shelf")), ..Flag::new(name("layered")) };
        let slice = Slice { flag: name("layered"), from: percent(0.0), to: percent(50.0) };
        let shelf = FlagLayer { name: name("shelf"), slices: vec![slice] };
        let flags = vec![half, by_session, by_user, layered, Flag::new(name("everybody"))];
        Arc::new(Snapshot::new("r", flags, vec![], vec![], vec![shelf]).unwrap())
    }

    fn subject<'a>(visitor: &'a str, session: &'a str, kept: &'a [KeptDraw]) -> Subject<'a> {
        Subject { session: Some(session), kept, ..Subject::at(Timestamp::UNIX_EPOCH).visitor(visitor) }
    }

    #[test]
    fn a_new_id_keeps_every_variant_of_the_old_one() {
        for n in 0..200 {
            let (old, session) = (format!("old-{n}"), format!("session-{n}"));
            let snapshot = snapshot(50.0);
            let before = snapshot.decide(&subject(&old, &session, &[]));
            let kept = snapshot.draws(&old, Some(&session));
            let after = snapshot.decide(&subject("new", "other", &kept));
            let variants = |all: &crate::Decisions| all.iter().map(|(.., one)| one.variant()).collect::<Vec<_>>();
            assert_eq!(variants(&after), variants(&before), "{n}");
            assert_eq!(kept.len(), 4, "the layer, and each flag that draws by visitor or session");
        }
    }

    #[test]
    fn a_raised_share_takes_in_whom_the_old_id_would_have_let_in() {
        let kept = snapshot(20.0).draws("old", Some("s"));
        for share in [20.0, 30.0, 70.0, 99.0] {
            let of = |visitor, session, kept| snapshot(share).decide(&subject(visitor, session, kept)).is_on("half");
            assert_eq!(of("new", "t", &kept[..]), of("old", "s", &[]), "{share}");
        }
    }

    #[test]
    fn such_a_decision_is_remembered_not_drawn() {
        let kept = snapshot(50.0).draws("old", None);
        let snapshot = snapshot(50.0);
        let decisions = snapshot.decide(&subject("new", "s", &kept));
        let step = |flag| decisions.of(snapshot.find(flag).unwrap()).step();
        assert_eq!(
            (step("half"), step("by_session"), step("everybody")),
            (Step::Sticky, Step::Percent, Step::Percent)
        );
    }

    #[test]
    fn parts_come_back_unless_they_are_none() {
        let kept = snapshot(50.0).draws("old", Some("s"));
        for one in kept {
            assert_eq!(KeptDraw::of_parts(one.is_by_session(), one.parts()), Some(one));
        }
        assert!(KeptDraw::of_parts(false, [1, 100_000, 0]).is_none());
        assert!(KeptDraw::of_parts(false, [1, 0, 100_000]).is_none());
    }
}
