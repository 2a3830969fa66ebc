//! Stand-in for `zstd`: the part of its interface that `pingora-core` calls. It compresses nothing, and every call fails.
//!
//! `pingora-core` can compress answers, and asks for the C library for that. The sidecar uses its process and not its answers, so nothing
//! ever calls this. It takes the library's place through `[patch.crates-io]`, so that nobody has to wait for it to be compiled.

/// Streams.
pub mod stream {
    /// Streams that are written to.
    pub mod write {
        use std::io::{Error, Result, Write};
        use std::marker::PhantomData;

        /// What would compress; it cannot be made.
        #[derive(Debug)]
        pub struct Encoder<'a, W> {
            writer: W,
            dictionary: PhantomData<&'a ()>,
        }

        impl<W: Write> Encoder<'_, W> {
            /// # Errors
            /// Always: this build compresses nothing.
            pub fn new(_: W, _: i32) -> Result<Self> {
                Err(left_out())
            }

            /// # Errors
            /// Always: this build compresses nothing.
            pub fn with_dictionary(_: W, _: i32, _: &[u8]) -> Result<Self> {
                Err(left_out())
            }

            /// What it would write to.
            pub const fn get_ref(&self) -> &W {
                &self.writer
            }

            /// What it would write to.
            pub const fn get_mut(&mut self) -> &mut W {
                &mut self.writer
            }

            /// # Errors
            /// Always: this build compresses nothing.
            pub fn do_finish(&mut self) -> Result<()> {
                Err(left_out())
            }
        }

        impl<W: Write> Write for Encoder<'_, W> {
            fn write(&mut self, _: &[u8]) -> Result<usize> {
                Err(left_out())
            }

            fn flush(&mut self) -> Result<()> {
                Err(left_out())
            }
        }

        fn left_out() -> Error {
            Error::other("zstd is left out of this build")
        }
    }
}
