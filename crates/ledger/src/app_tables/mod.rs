//! Tables of the app's own database, read as they stand: those of django-waffle, in the form of `manage.py dumpdata`. Nothing is written
//! there, and all of it is read from one moment.

mod location;
mod waffle;

pub use waffle::{TablesError, waffle_dump};
