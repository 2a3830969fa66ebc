//! Options of `import`.

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{Args, ValueHint};
use flagstaff_import::{Mapping, System};
use jiff::civil::Date;

#[derive(Debug, Args)]
pub(crate) struct Import {
    /// The system that the flags come from
    #[arg(value_name = "SYSTEM", value_parser = system())]
    pub(crate) system: System,
    /// Its export: a file, or - for standard input; of django-waffle also the address of the app's database
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath, default_value = "-")]
    pub(crate) file: String,
    /// Which environment, where the export has several
    #[arg(long, value_name = "NAME")]
    pub(crate) environment: Option<String>,
    /// Which id here is the attribute that is hashed there: visitor, user, session, header.NAME, cookie.NAME; repeat for several
    #[arg(long, value_name = "ATTRIBUTE=UNIT")]
    pub(crate) unit: Vec<Mapping>,
    /// Where an attribute of conditions is found here: user, country, header.NAME, cookie.NAME, query.NAME …; repeat for several
    #[arg(long, value_name = "ATTRIBUTE=KEY")]
    pub(crate) attribute: Vec<Mapping>,
    /// Of django-waffle: the last day on which a visitor keeps the side that their own cookie says [default: 60 days from now]
    #[arg(long, value_name = "DAY")]
    pub(crate) until: Option<Date>,
    /// Of flagd: the version of its formula, by which your programs draw: 1, 2 or 3 [default: 2, and flags that draw are carried in part]
    #[arg(long, value_name = "VERSION")]
    pub(crate) formula_version: Option<u32>,
    /// Fail when a flag is not carried exactly; the flag file is written all the same
    #[arg(long)]
    pub(crate) strict: bool,
    /// Report as JSON, on standard error as well
    #[arg(long)]
    pub(crate) json: bool,
}

fn system() -> impl TypedValueParser<Value = System> {
    let values = System::all().map(|system| PossibleValue::new(system.word()).help(system.reads()));
    let missing = "there is no such system"; // the values above are all there are
    PossibleValuesParser::new(values.collect::<Vec<_>>()).try_map(move |word| System::find(&word).ok_or(missing))
}
