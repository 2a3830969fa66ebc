//! The rounds of SHA-256 for as many messages as a vector has lanes, each word of all of them in one vector.

/// Writes `compress` and `weigh` for the vectors of the module in which it stands. The module has `Vector`, `LANES`, and the functions
/// `add`, `xor3`, `turn` (to the right), `shift` (to the right), `choose`, `most`, `splat`, `words_of` (blocks to vectors), `vectors_of` and
/// `states_of` (states to vectors, and back), and `weighed` (hashes to what is read off them).
///
/// A macro, not a generic function: an intrinsic may only be called without `unsafe` where its feature is enabled, and a trait's method
/// cannot enable one.
macro_rules! rounds {
    ($(#[$feature:meta])?) => {
        /// Takes one block of each message into its state.
        $(#[$feature])?
        #[inline]
        pub(super) fn compress(states: &mut [State; LANES], blocks: &[Block; LANES]) {
            *states = states_of(compressed(vectors_of(states), blocks));
        }

        /// Takes the last block of each message into its state, which is the one before the first block where there is none, and weighs the
        /// hashes. They need not become rows again for that.
        $(#[$feature])?
        #[inline]
        pub(super) fn weigh(
            before: Option<&[State; LANES]>,
            blocks: &[Block; LANES],
            weights: &Weights,
        ) -> [Weighed; LANES] {
            let before = match before {
                Some(states) => vectors_of(states),
                None => same_everywhere(&INITIAL),
            };
            weighed(compressed(before, blocks), weights)
        }

        $(#[$feature])?
        #[inline]
        fn same_everywhere(words: &[u32; 8]) -> [Vector; 8] {
            let mut all = [splat(0); 8];
            all.iter_mut().zip(words).for_each(|(vector, word)| *vector = splat(*word));
            all
        }

        $(#[$feature])?
        #[inline]
        fn compressed(before: [Vector; 8], blocks: &[Block; LANES]) -> [Vector; 8] {
            let mut words = words_of(blocks);
            let mut state = before;
            let [first, then @ ..] = &ROUNDS;
            sixteen!(|t| state = round(state, words[t], first[t]));
            for constants in then {
                sixteen!(|t| {
                    words[t] = following(&words, t);
                    state = round(state, words[t], constants[t]);
                });
            }
            for (after, before) in state.iter_mut().zip(before) {
                *after = add(*after, before);
            }
            state
        }

        /// The word that follows sixteen words, of which the one at `t` is the oldest (FIPS 180-4, 6.2.2, step 1).
        $(#[$feature])?
        #[inline]
        fn following(words: &[Vector; 16], t: usize) -> Vector {
            let (near, far) = (words[(t + 1) % 16], words[(t + 14) % 16]);
            let near = xor3(turn::<7, 25>(near), turn::<18, 14>(near), shift::<3>(near));
            let far = xor3(turn::<17, 15>(far), turn::<19, 13>(far), shift::<10>(far));
            add(add(words[t], near), add(words[(t + 9) % 16], far))
        }

        /// One round (6.2.2, step 3).
        $(#[$feature])?
        #[inline]
        fn round([a, b, c, d, e, f, g, h]: [Vector; 8], word: Vector, constant: u32) -> [Vector; 8] {
            let turned = xor3(turn::<6, 26>(e), turn::<11, 21>(e), turn::<25, 7>(e));
            let first = add(add(add(h, add(word, splat(constant))), choose(e, f, g)), turned);
            let turned = xor3(turn::<2, 30>(a), turn::<13, 19>(a), turn::<22, 10>(a));
            [add(first, add(turned, most(a, b, c))), a, b, c, add(d, first), e, f, g]
        }
    };
}

/// Sixteen steps written out: in a loop the state would be moved from register to register in each.
macro_rules! sixteen {
    (|$t:ident| $step:expr) => { sixteen!($t, $step, 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15) };
    ($t:ident, $step:expr, $($number:literal)*) => { $({ let $t: usize = $number; $step; })* };
}

pub(super) use {rounds, sixteen};
