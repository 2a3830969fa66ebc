//! A formula with what it hashes.

use std::borrow::Cow;

use super::formula::Formula;
use super::number::Number;
use super::recipe::Recipe;
use super::recipes::{Recipes, Source};
use super::settings::{HashError, HashSettings};
use crate::{Allocation, Draw, Percent, printable};

/// The longest text that is shown, in characters.
const LONGEST_SHOWN: usize = 400;

/// How units are drawn: by the formula of another system, or by SHA-256 with something that is not the default.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hash {
    formula: Formula,
    /// Text before the unit.
    prefix: Box<str>,
    recipes: Recipes,
    /// `on` lies at the end of the number's range, `off` at its beginning.
    on_last: bool,
    settings: HashSettings,
    id: Box<str>,
}

/// A number that a formula makes, as it can be made again by hand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HashedNumber {
    /// It says the position, which the percentage is compared with.
    pub of_position: bool,
    /// It says the variant.
    pub of_variant: bool,
    /// What is done with the text, in words.
    pub function: String,
    /// The text that is hashed. A hidden character is written out, and a long text is cut.
    pub text: String,
    /// The number.
    pub number: u64,
    /// How many numbers there are, from 0.
    pub of: u64,
}

impl Hash {
    /// A formula. `name` stands for what is not written: the flag's name, which is the salt of `sha256` too.
    ///
    /// # Errors
    /// When a key does not belong to the formula, is missing, or has a value that the formula does not know.
    pub fn new(settings: &HashSettings, name: &str) -> Result<Self, HashError> {
        let prefix = settings.prefix.clone().unwrap_or_default();
        let recipes = Recipes::new(settings, name)?.prefixed(&prefix);
        let hash = Self {
            formula: settings.formula,
            prefix: prefix.into(),
            recipes,
            on_last: false,
            settings: settings.clone(),
            id: "".into(),
        };
        Ok(Self { id: hash.made_id().into(), ..hash })
    }

    /// The same, where `on` lies at the end of the number's range rather than at its beginning.
    #[must_use]
    pub fn with_on_last(self) -> Self {
        let hash = Self { on_last: true, ..self };
        Self { id: hash.made_id().into(), ..hash }
    }

    /// What is written.
    #[must_use]
    pub const fn settings(&self) -> &HashSettings {
        &self.settings
    }

    /// Whether `on` lies at the end of the number's range.
    #[must_use]
    pub const fn has_on_last(&self) -> bool {
        self.on_last
    }

    /// The formula.
    #[must_use]
    pub const fn formula(&self) -> Formula {
        self.formula
    }

    /// Whether it is what a flag without `hash` has.
    #[must_use]
    pub fn is_default(&self) -> bool {
        matches!(self.recipes, Recipes::Sha256(_)) && self.prefix.is_empty() && !self.on_last
    }

    /// Whether one number says both whether a unit is in, and its variant.
    #[must_use]
    pub const fn has_one_number(&self) -> bool {
        matches!(self.recipes, Recipes::One(_) | Recipes::Either { .. })
    }

    /// How many positions there are, where they are less fine than thousandths of a percent, and each is some whole thousandths.
    #[must_use]
    pub fn coarse_grid(&self, named: bool) -> Option<u32> {
        let grid = match &self.recipes {
            Recipes::Sha256(_) => return None,
            Recipes::One(recipe) | Recipes::Two(recipe, _) => recipe.grid,
            Recipes::Either { named: recipe, .. } if named => recipe.grid,
            Recipes::Either { off_and_on, .. } => off_and_on.grid,
        };
        let grid = u32::try_from(grid).ok()?;
        (grid < Percent::WHOLE && Percent::WHOLE.is_multiple_of(grid)).then_some(grid)
    }

    /// Says of two of them whether they draw alike.
    pub(crate) const fn id(&self) -> &str {
        &self.id
    }

    /// What one of its numbers is made of. `named` says whether variants are.
    pub(super) fn source(&self, named: bool, of_variant: bool) -> Source<'_> {
        self.recipes.source(&self.prefix, named, of_variant)
    }

    /// Where a unit falls. `ranges` are those of the variants that are named; none for off and on.
    pub(crate) fn draw(&self, unit: &str, ranges: Option<&[Allocation]>) -> Draw {
        match &self.recipes {
            Recipes::Sha256(salt) => {
                let draw = Draw::of(salt, &self.prefixed(unit));
                self.turned(draw, ranges.is_some())
            }
            Recipes::One(recipe) => self.of_one(recipe.number(unit), ranges),
            Recipes::Either { named, off_and_on } => {
                let recipe = if ranges.is_some() { named } else { off_and_on };
                self.of_one(recipe.number(unit), ranges)
            }
            Recipes::Two(position, split) => {
                let split = if ranges.is_some() { split.number(unit).position() } else { 0 };
                self.turned(Draw::at(position.number(unit).position(), split), ranges.is_some())
            }
        }
    }

    /// A draw that was made earlier, for the variants as they lie now.
    pub(crate) fn drawn_earlier(&self, draw: Draw, ranges: Option<&[Allocation]>) -> Draw {
        match ranges {
            Some(_) if self.has_one_number() => self.of_one(Number::of_position(draw.split()), ranges),
            _ => draw,
        }
    }

    /// The numbers of a unit: one, or the position's and the variant's.
    #[must_use]
    pub(crate) fn numbers(&self, unit: &str, named: bool) -> Vec<HashedNumber> {
        let number = |recipe: &Recipe, of_position, of_variant| {
            let Number { k, grid } = recipe.number(unit);
            let function = recipe.described();
            HashedNumber { of_position, of_variant, function, text: shown(&recipe.text(unit)), number: k, of: grid }
        };
        match &self.recipes {
            Recipes::Sha256(salt) => numbers_of_sha256(salt, &self.prefixed(unit)),
            Recipes::One(recipe) => vec![number(recipe, true, named)],
            Recipes::Either { named: recipe, .. } if named => vec![number(recipe, true, true)],
            Recipes::Either { off_and_on, .. } => vec![number(off_and_on, true, false)],
            Recipes::Two(position, split) if named => vec![number(position, true, false), number(split, false, true)],
            Recipes::Two(position, _) => vec![number(position, true, false)],
        }
    }

    /// The draw of a formula with one number: inside the range of its variant, the share takes the first part.
    fn of_one(&self, number: Number, ranges: Option<&[Allocation]>) -> Draw {
        let split = number.position();
        let Some(ranges) = ranges else {
            return self.turned(Draw::at(split, split), false);
        };
        let range = ranges.iter().find(|range| range.holds(split));
        Draw::at(range.map_or(split, |range| number.position_within(range)), split)
    }

    /// For a flag of off and on whose `on` lies last, the position counts from the end.
    fn turned(&self, draw: Draw, named: bool) -> Draw {
        if self.on_last && !named { Draw::at(Percent::WHOLE - 1 - draw.position(), draw.split()) } else { draw }
    }

    fn prefixed<'a>(&self, unit: &'a str) -> Cow<'a, str> {
        if self.prefix.is_empty() { unit.into() } else { format!("{}{unit}", self.prefix).into() }
    }

    fn made_id(&self) -> String {
        let mut parts = match &self.recipes {
            Recipes::Sha256(salt) => {
                let [salt, prefix] = [salt, &self.prefix].map(|text| text.escape_default().to_string());
                vec![format!("sha256 \"{salt}\" \"{prefix}\"")]
            }
            Recipes::One(recipe) => vec![recipe.id()],
            Recipes::Two(one, other) | Recipes::Either { off_and_on: one, named: other } => {
                vec![one.id(), other.id()]
            }
        };
        parts.extend(self.on_last.then(|| "on last".to_owned()));
        parts.join(", ")
    }
}

/// The numbers of Flagstaff's own draw, which hold for every flag without `hash`.
pub(super) fn numbers_of_sha256(salt: &str, unit: &str) -> Vec<HashedNumber> {
    let (draw, text) = (Draw::of(salt, unit), shown(&format!("{salt}:{unit}")));
    let number = |of_position: bool, number: u32| HashedNumber {
        of_position,
        of_variant: !of_position,
        function: if of_position {
            "sha256 as one number, its last five digits, the last two of them first".into()
        } else {
            "sha256 as one number, the five digits before its last five".into()
        },
        text: text.clone(),
        number: number.into(),
        of: Percent::WHOLE.into(),
    };
    vec![number(true, draw.position()), number(false, draw.split())]
}

/// A text as it can be shown.
fn shown(text: &str) -> String {
    match text.char_indices().nth(LONGEST_SHOWN) {
        Some((end, _)) => format!("{}…", printable(text.get(..end).unwrap_or_default())),
        None => printable(text).into_owned(),
    }
}
