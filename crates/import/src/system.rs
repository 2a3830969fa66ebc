//! The systems whose flags are read.

use crate::error::ImportError;
use crate::model::Imported;
use crate::options::Options;
use crate::vendors;

type Reader = fn(&[u8], &Options) -> Result<Imported, ImportError>;

/// A system whose flags are read.
#[derive(Clone, Copy)]
pub struct System {
    /// As it is written on the command line.
    word: &'static str,
    /// As its makers write it.
    title: &'static str,
    /// What is read of it.
    reads: &'static str,
    reader: Reader,
}

/// All of them, in the order of their words. A new one is a line here and a file under `vendors`.
const SYSTEMS: &[System] = &[
    System {
        word: "azure",
        title: "Azure App Configuration",
        reads: "feature management, JSON, or an export of key-values",
        reader: vendors::azure::read,
    },
    System {
        word: "configcat",
        title: "ConfigCat",
        reads: "a config JSON, version 6",
        reader: vendors::configcat::read,
    },
    System { word: "flagd", title: "flagd", reads: "a flag definition, JSON or YAML", reader: vendors::flagd::read },
    System {
        word: "flagsmith",
        title: "Flagsmith",
        reads: "an environment document",
        reader: vendors::flagsmith::read,
    },
    System { word: "flipper", title: "Flipper", reads: "an export, JSON", reader: vendors::flipper::read },
    System { word: "flipt", title: "Flipt", reads: "a features file, YAML or JSON", reader: vendors::flipt::read },
    System {
        word: "goff",
        title: "GO Feature Flag",
        reads: "a flag file, YAML, JSON or TOML",
        reader: vendors::goff::read,
    },
    System {
        word: "growthbook",
        title: "GrowthBook",
        reads: "features as SDKs are given them, JSON",
        reader: vendors::growthbook::read,
    },
    System {
        word: "launchdarkly",
        title: "LaunchDarkly",
        reads: "a flag data file, JSON or YAML",
        reader: vendors::launchdarkly::read,
    },
    System {
        word: "posthog",
        title: "PostHog",
        reads: "an answer of local evaluation",
        reader: vendors::posthog::read,
    },
    System {
        word: "statsig",
        title: "Statsig",
        reads: "specs (download_config_specs)",
        reader: vendors::statsig::read,
    },
    System {
        word: "unleash",
        title: "Unleash",
        reads: "an export, a state file or /api/client/features",
        reader: vendors::unleash::read,
    },
    System {
        word: "vercel",
        title: "Vercel Flags",
        reads: "definitions (the datafile)",
        reader: vendors::vercel::read,
    },
    System {
        word: "waffle",
        title: "django-waffle",
        reads: "what `manage.py dumpdata waffle auth.group` writes, or the app's database: a file of SQLite, sqlite:///FILE, postgres://…",
        reader: vendors::waffle::read,
    },
];

impl System {
    /// All systems.
    pub fn all() -> impl Iterator<Item = Self> {
        SYSTEMS.iter().copied()
    }

    /// The system of a word of the command line.
    #[must_use]
    pub fn find(word: &str) -> Option<Self> {
        Self::all().find(|system| system.word == word)
    }

    /// As it is written on the command line.
    #[must_use]
    pub const fn word(self) -> &'static str {
        self.word
    }

    /// As its makers write it.
    #[must_use]
    pub const fn title(self) -> &'static str {
        self.title
    }

    /// What is read of it, for help.
    #[must_use]
    pub const fn reads(self) -> &'static str {
        self.reads
    }

    /// What is wrong with what is asked of an import of this system.
    ///
    /// # Errors
    /// When a key is none of a condition, a unit is none, or there is no such version of its formula.
    pub fn check(self, options: &Options) -> Result<(), String> {
        match options.formula_version {
            Some(_) if self.word != "flagd" => {
                Err("--formula-version: only flagd's formula has several versions to choose from".into())
            }
            Some(version) if !matches!(version, 1..=3) => {
                Err(format!("--formula-version {version}: write 1, 2 or 3"))
            }
            _ => options.check(),
        }
    }

    pub(crate) fn read(self, bytes: &[u8], options: &Options) -> Result<Imported, ImportError> {
        (self.reader)(bytes, options)
    }
}

impl std::fmt::Debug for System {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.word)
    }
}
