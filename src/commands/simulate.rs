//! `flagstaff simulate`: visitors falling into variants.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::anyhow;
use flagstaff_flags::{BucketBy, Flag, FlagId, Percent, Snapshot, Subject, User, VariantId};
use serde_json::{Map, Value, json};

use crate::cli::Simulate;
use crate::commands::Answer;
use crate::flags;
use crate::print::{FAINT, STRONG, bar, is_live, json as print_json, picture, styled};

/// How long a picture stands before the next one is drawn.
const FRAME: Duration = Duration::from_millis(60);
/// Visitors between two looks at the clock.
const STRIDE: u64 = 256;

pub(crate) fn run(args: &Simulate) -> anyhow::Result<Answer> {
    let snapshot = flags::snapshot(&args.flags)?;
    let id = flags::find(&snapshot, &args.flag)?;
    let snapshot = match args.percent {
        Some(percent) => {
            Arc::new(snapshot.supposing(id, Percent::new(percent).map_err(|e| anyhow!("--percent: {e}"))?))
        }
        None => snapshot,
    };
    let Some(flag) = snapshot.flag(id).cloned() else {
        return Ok(Answer::No);
    };
    let live = is_live() && !args.json;
    let share = snapshot.share(id, jiff::Timestamp::now());
    let mut picture = Picture { flag: &flag, share, of: args.visitors, drawn: None };
    let fallen = fall(
        &snapshot,
        id,
        args.visitors,
        |fallen, visitors| {
            if live { picture.draw(fallen, visitors) } else { Ok(()) }
        },
    )?;
    if args.json {
        let variants: Map<String, Value> =
            named(&flag, &fallen).map(|(name, n)| (name.to_owned(), n.into())).collect();
        print_json(
            &json!({ "flag": args.flag, "percent": share.as_f64(), "visitors": args.visitors, "variants": variants }),
        )?;
    } else {
        picture.drawn = picture.drawn.filter(|_| live);
        picture.draw(&fallen, args.visitors)?;
    }
    Ok(Answer::Yes)
}

/// How many of the first `visitors` visitors fall into each variant.
fn fall(
    snapshot: &Arc<Snapshot>,
    id: FlagId,
    visitors: u64,
    mut look: impl FnMut(&[u64], u64) -> anyhow::Result<()>,
) -> anyhow::Result<Vec<u64>> {
    let flag = snapshot.flag(id);
    let by_user = flag.is_some_and(|flag| flag.bucket_by == BucketBy::User);
    let mut fallen = vec![0; flag.map_or(1, |flag| flag.variants.names().len())];
    let now = jiff::Timestamp::now();
    let mut last = Instant::now();
    for i in 0..visitors {
        let unit = format!("visitor-{i}");
        let user = User { id: unit.clone(), ..User::default() };
        let someone = Subject { session: Some(&unit), request: Some(&unit), ..Subject::at(now).visitor(&unit) };
        let subject = if by_user { someone.user(&user) } else { someone };
        if let Some(count) = fallen.get_mut(snapshot.decide_one(id, &subject).variant().index()) {
            *count += 1;
        }
        if i % STRIDE == 0 && last.elapsed() > FRAME {
            look(&fallen, i + 1)?;
            last = Instant::now();
        }
    }
    Ok(fallen)
}

/// The variants that can be, with their counts; `off` of a flag with variants of its own only when somebody has it.
fn named<'a>(flag: &'a Flag, fallen: &'a [u64]) -> impl Iterator<Item = (&'a str, u64)> {
    let drawn = |name: &str| flag.variants.weights().any(|(id, _)| flag.variants.name(id) == name);
    let all = flag.variants.names().iter().map(|name| &**name).zip(fallen.iter().copied());
    all.filter(move |(name, count)| *count > 0 || !flag.variants.are_named() || drawn(name))
}

struct Picture<'a> {
    flag: &'a Flag,
    share: Percent,
    of: u64,
    /// Lines of the picture that stands on the terminal now.
    drawn: Option<usize>,
}

impl Picture<'_> {
    fn draw(&mut self, fallen: &[u64], visitors: u64) -> anyhow::Result<()> {
        let mut text = self.drawn.map(|lines| format!("\x1b[{lines}A")).unwrap_or_default();
        let head = format!(
            "{}: {} percent, {visitors} of {} visitors",
            styled(STRONG, self.flag.name.as_str()),
            self.share,
            self.of
        );
        text.push_str(&format!("\x1b[2K{head}\n"));
        let rows: Vec<_> = named(self.flag, fallen).collect();
        let width = rows.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
        for (name, count) in &rows {
            #[allow(clippy::cast_precision_loss, reason = "a picture")]
            let part = *count as f64 / visitors.max(1) as f64;
            let style = if self.flag.variants.find(name) == Some(VariantId::OFF) { FAINT } else { STRONG };
            let bar = styled(style, &bar(part, 40));
            text.push_str(&format!("\x1b[2K  {name:width$}  {count:>9}  {:>7.3} %  {bar}\n", part * 100.0));
        }
        self.drawn = Some(rows.len() + 1);
        picture(&text)
    }
}
