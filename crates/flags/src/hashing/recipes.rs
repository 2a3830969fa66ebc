//! Each system's own formula, made of what is written under `hash`.

use super::cbor::Wrapping;
use super::formula::Formula;
use super::function::Function;
use super::recipe::Recipe;
use super::settings::{HashError, HashSeed, HashSettings};

/// 16 to the 15th power, less one: the largest number of 15 hexadecimal digits.
const LARGEST_15_DIGITS: u64 = (1 << 60) - 1;
/// The seed with which Unleash draws among variants, so that they do not hang on the rollout.
const UNLEASH_VARIANTS: u32 = 86_028_157;
/// Flagsmith divides by this.
const FLAGSMITH: u64 = 9998;

/// What draws.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Recipes {
    /// Flagstaff's own draw, with a salt.
    Sha256(Box<str>),
    /// One number says the variant, and the share takes the first part of each variant's range.
    One(Recipe),
    /// Two numbers: the position, and the draw among variants.
    Two(Recipe, Recipe),
    /// One number, which is another one for flags with variants of their own.
    Either { off_and_on: Recipe, named: Recipe },
}

/// What a number is made of. Equal sources make one number, or the same on another grid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source<'a> {
    /// Flagstaff's own, one of its two.
    Sha256 { salt: &'a str, prefix: &'a str, of_variant: bool },
    /// Another function of a text around the unit.
    Other { function: Function, before: &'a str, after: &'a str, lowercase: bool, cbor: Option<&'a Wrapping> },
}

impl Recipes {
    /// What a number is made of: the one that says the variant, or the position's. `named` says whether variants are.
    pub(super) fn source<'a>(&'a self, prefix: &'a str, named: bool, of_variant: bool) -> Source<'a> {
        let recipe = match self {
            Self::Sha256(salt) => return Source::Sha256 { salt, prefix, of_variant },
            Self::Two(_, split) if of_variant => split,
            Self::Either { named: recipe, .. } if named => recipe,
            Self::One(recipe) | Self::Two(recipe, _) | Self::Either { off_and_on: recipe, .. } => recipe,
        };
        let Recipe { before, after, lowercase, cbor, function, grid: _ } = recipe;
        Source::Other { function: *function, before, after, lowercase: *lowercase, cbor: cbor.as_ref() }
    }

    /// What a formula hashes. `name` stands for what is not written: the name of the flag, which is its salt too.
    pub(super) fn new(settings: &HashSettings, name: &str) -> Result<Self, HashError> {
        settings.check()?;
        let key = settings.key.as_deref().unwrap_or(name);
        Ok(match settings.formula {
            Formula::Sha256 => Self::Sha256(name.into()),
            Formula::Unleash => unleash(settings, name)?,
            Formula::Flagd => Self::One(flagd(settings, key)?),
            Formula::GrowthBook => Self::One(growthbook(settings, name)?),
            Formula::LaunchDarkly => Self::One(launchdarkly(settings, key)?),
            Formula::PostHog => {
                let recipe = Recipe::new(Function::Sha1Digits15, LARGEST_15_DIGITS, format!("{key}."));
                Self::Two(recipe.clone(), recipe.after("variant"))
            }
            Formula::Flipper => Self::One(Recipe::new(Function::Crc32, 100_000, key)),
            Formula::ConfigCat => Self::One(Recipe::new(Function::Sha1Digits7, 100, key)),
            Formula::Flagsmith => Self::One(Recipe::new(Function::Md5, FLAGSMITH, format!("{key},"))),
            Formula::Goff => Self::One(Recipe::new(Function::Fnv1a, total(settings, 100_000)?, key)),
            Formula::Statsig => Self::One(statsig(settings)?),
            Formula::Flipt => Self::Either {
                off_and_on: Recipe::new(Function::Crc32, 100, "").after(key),
                named: Recipe::new(Function::Crc32, 1000, key),
            },
            Formula::Azure => Self::One(azure(settings, key)),
            Formula::Vercel => Self::One(vercel(settings)?),
        })
    }

    /// The same with a text before the unit.
    pub(super) fn prefixed(self, prefix: &str) -> Self {
        let with = |recipe: Recipe| Recipe { before: format!("{}{prefix}", recipe.before).into(), ..recipe };
        match self {
            // Its hash is of the salt, a colon and the unit, so the prefix is put before the unit there.
            Self::Sha256(salt) => Self::Sha256(salt),
            Self::One(recipe) => Self::One(with(recipe)),
            Self::Two(position, split) => Self::Two(with(position), with(split)),
            Self::Either { off_and_on, named } => Self::Either { off_and_on: with(off_and_on), named: with(named) },
        }
    }
}

/// Versions 1 and 2 hash key and unit as one text, and read another number off the hash. Version 3 hashes them as CBOR; an empty key is that of a draw whose text is written out.
fn flagd(settings: &HashSettings, key: &str) -> Result<Recipe, HashError> {
    let recipe = |function, before: &str| Ok(Recipe::new(function, total(settings, 100)?, before));
    match settings.version.unwrap_or(2) {
        1 => recipe(Function::Murmur3Signed, key),
        2 => recipe(Function::Murmur3Scaled, key),
        3 => Ok(recipe(Function::Murmur3Scaled, "")?.wrapped(Wrapping::new(Some(key).filter(|key| !key.is_empty())))),
        other => Err(HashError::new("version", format!("flagd's formula has no version {other}"), "write 1, 2 or 3")),
    }
}

fn unleash(settings: &HashSettings, name: &str) -> Result<Recipes, HashError> {
    let group = settings.group.as_deref().unwrap_or(name);
    let variant_group = settings.variant_group.as_deref().unwrap_or(group);
    let position = Recipe::new(Function::Murmur3(0), 100, format!("{group}:"));
    let split = Recipe::new(Function::Murmur3(UNLEASH_VARIANTS), total(settings, 1000)?, format!("{variant_group}:"));
    Ok(Recipes::Two(position, split))
}

fn growthbook(settings: &HashSettings, name: &str) -> Result<Recipe, HashError> {
    let seed = settings.seed.as_ref().map_or_else(|| name.to_owned(), ToString::to_string);
    match settings.version.unwrap_or(1) {
        1 => Ok(Recipe::new(Function::Fnv1a, 1000, "").after(seed)),
        2 => Ok(Recipe::new(Function::Fnv1aTwice, 10_000, seed)),
        other => Err(HashError::new("version", format!("GrowthBook's hash has no version {other}"), "write 1 or 2")),
    }
}

fn launchdarkly(settings: &HashSettings, key: &str) -> Result<Recipe, HashError> {
    let before = match (&settings.salt, &settings.seed) {
        (Some(salt), None) => format!("{key}.{salt}."),
        (None, Some(HashSeed::Number(seed))) => format!("{seed}."),
        (None, Some(HashSeed::Text(_))) => {
            return Err(HashError::new("seed", "LaunchDarkly's seed is a whole number", "write seed = 61"));
        }
        (Some(_), Some(_)) => {
            return Err(HashError::new("seed", "with a seed LaunchDarkly hashes no salt", "keep `seed`, or `salt`"));
        }
        (None, None) => {
            let help = "add salt = \"…\", the flag's salt in LaunchDarkly, or seed = 61, that of the rollout";
            return Err(HashError::missing("salt", "LaunchDarkly hashes a salt or a seed", help));
        }
    };
    Ok(Recipe::new(Function::Sha1Digits15, LARGEST_15_DIGITS, before))
}

fn statsig(settings: &HashSettings) -> Result<Recipe, HashError> {
    let help = "add salt = \"…\": the spec's salt, a dot and the rule's salt";
    let salt = settings.salt.as_ref().ok_or_else(|| HashError::missing("salt", "Statsig hashes a salt", help))?;
    let grid = settings.buckets.unwrap_or(10_000);
    if ![1000, 10_000].contains(&grid) {
        let message = format!("Statsig has no {grid} buckets");
        return Err(HashError::new("buckets", message, "write 10000, or 1000 for a `user_bucket`"));
    }
    Ok(Recipe::new(Function::Sha256BigEndian, grid.into(), format!("{salt}.")))
}

fn azure(settings: &HashSettings, key: &str) -> Recipe {
    let lowercase = settings.ignore_case.unwrap_or(false);
    let group = settings.group.as_deref().map(|group| if lowercase { group.to_lowercase() } else { group.into() });
    let after = format!("\n{key}{}", group.map(|group| format!("\n{group}")).unwrap_or_default());
    let recipe = Recipe::new(Function::Sha256LittleEndian, u32::MAX.into(), "").after(after);
    Recipe { lowercase, ..recipe }
}

fn vercel(settings: &HashSettings) -> Result<Recipe, HashError> {
    let help = "add seed = 7, the flag's seed in Vercel";
    let seed = match &settings.seed {
        Some(HashSeed::Number(number)) => u32::try_from(*number).ok(),
        Some(HashSeed::Text(_)) => None,
        None => return Err(HashError::missing("seed", "Vercel hashes with a seed", help)),
    };
    let wrong = || HashError::new("seed", "Vercel's seed is a whole number of 32 bits", "write seed = 7");
    Ok(Recipe::new(Function::XxHash32(seed.ok_or_else(wrong)?), 1 << 32, ""))
}

/// The sum of weights, which is the size of the grid.
fn total(settings: &HashSettings, default: u32) -> Result<u64, HashError> {
    match settings.total.unwrap_or(default) {
        0 => Err(HashError::new("total", "weights do not add up to 0", format!("write total = {default}"))),
        total => Ok(total.into()),
    }
}
