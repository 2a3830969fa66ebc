//! What vectors of eight words have in common, with AVX2 alone and with AVX-512: how they get their words, and give them away.

/// Writes `words_of`, `vectors_of`, `states_of` and `weighed` for vectors of eight words.
macro_rules! vectors_256 {
    (#[$feature:meta]) => {
        #[$feature]
        #[inline]
        fn add(a: Vector, b: Vector) -> Vector {
            _mm256_add_epi32(a, b)
        }

        #[$feature]
        #[inline]
        fn shift<const RIGHT: i32>(a: Vector) -> Vector {
            _mm256_srli_epi32::<RIGHT>(a)
        }

        #[$feature]
        #[inline]
        fn splat(word: u32) -> Vector {
            _mm256_set1_epi32(word.cast_signed())
        }

        #[$feature]
        #[inline]
        fn words_of(blocks: &[Block; LANES]) -> [Vector; 16] {
            let [a, b, c, d, e, f, g, h] = transposed(half_of(blocks, 0));
            let [i, j, k, l, m, n, o, p] = transposed(half_of(blocks, 1));
            [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p]
        }

        /// Half of each block as eight words.
        #[$feature]
        #[inline]
        fn half_of(blocks: &[Block; LANES], half: usize) -> [Vector; 8] {
            let big_endian = _mm256_set_epi64x(
                0x0c0d_0e0f_0809_0a0b,
                0x0405_0607_0001_0203,
                0x0c0d_0e0f_0809_0a0b,
                0x0405_0607_0001_0203,
            );
            let mut all = [big_endian; 8];
            for (one, block) in all.iter_mut().zip(blocks) {
                let [a, b, c, d, e, f, g, h] = block.as_chunks::<8>().0 else { continue };
                let [a, b, c, d] = if half == 0 { [a, b, c, d] } else { [e, f, g, h] };
                let eight = |bytes: &[u8; 8]| i64::from_le_bytes(*bytes);
                let bytes = _mm256_set_epi64x(eight(d), eight(c), eight(b), eight(a));
                *one = _mm256_shuffle_epi8(bytes, big_endian);
            }
            all
        }

        #[$feature]
        #[inline]
        fn vectors_of(states: &[State; LANES]) -> [Vector; 8] {
            let mut rows = [_mm256_setzero_si256(); 8];
            for (row, state) in rows.iter_mut().zip(states) {
                let [a, b, c, d, e, f, g, h] = state.map(u32::cast_signed);
                *row = _mm256_set_epi32(h, g, f, e, d, c, b, a);
            }
            transposed(rows)
        }

        #[$feature]
        #[inline]
        fn states_of(vectors: [Vector; 8]) -> [State; LANES] {
            let mut states = [[0; 8]; LANES];
            for (state, row) in states.iter_mut().zip(transposed(vectors)) {
                *state = words_in(row);
            }
            states
        }

        #[$feature]
        #[inline]
        fn weighed(hashes: [Vector; 8], weights: &Weights) -> [Weighed; LANES] {
            let mut sums = [_mm256_setzero_si256(); 2];
            for (words, weight) in hashes.into_iter().zip(weights) {
                // every other word is in the lower half of a number of 64 bits
                let halves = [words, _mm256_srli_epi64::<32>(words)];
                for (sum, half) in sums.iter_mut().zip(halves) {
                    *sum = _mm256_add_epi64(*sum, _mm256_mul_epu32(half, splat(*weight)));
                }
            }
            let [even, odd] = [numbers_in(sums[0]), numbers_in(sums[1])];
            let mut all = [Weighed::default(); LANES];
            let sums = even.into_iter().zip(odd).flat_map(|(even, odd)| [even, odd]);
            for ((one, sum), last) in all.iter_mut().zip(sums).zip(words_in(hashes[7])) {
                *one = Weighed { sum, last };
            }
            all
        }

        #[$feature]
        #[inline]
        fn words_in(row: Vector) -> [u32; 8] {
            let mut words = [0; 8];
            #[allow(clippy::cast_possible_truncation, reason = "the lower half of each pair is meant")]
            for (two, pair) in words.as_chunks_mut::<2>().0.iter_mut().zip(numbers_in(row)) {
                *two = [pair as u32, (pair >> 32) as u32];
            }
            words
        }

        #[$feature]
        #[inline]
        fn numbers_in(row: Vector) -> [u64; 4] {
            let halves = [_mm256_castsi256_si128(row), _mm256_extracti128_si256::<1>(row)];
            let [low, high] = halves.map(|half| [_mm_cvtsi128_si64(half), _mm_extract_epi64::<1>(half)]);
            [low[0], low[1], high[0], high[1]].map(i64::cast_unsigned)
        }

        /// Rows become columns.
        #[$feature]
        #[inline]
        fn transposed([a, b, c, d, e, f, g, h]: [Vector; 8]) -> [Vector; 8] {
            let (ab, ab_high) = (_mm256_unpacklo_epi32(a, b), _mm256_unpackhi_epi32(a, b));
            let (cd, cd_high) = (_mm256_unpacklo_epi32(c, d), _mm256_unpackhi_epi32(c, d));
            let (ef, ef_high) = (_mm256_unpacklo_epi32(e, f), _mm256_unpackhi_epi32(e, f));
            let (gh, gh_high) = (_mm256_unpacklo_epi32(g, h), _mm256_unpackhi_epi32(g, h));
            let first = [
                _mm256_unpacklo_epi64(ab, cd),
                _mm256_unpackhi_epi64(ab, cd),
                _mm256_unpacklo_epi64(ab_high, cd_high),
                _mm256_unpackhi_epi64(ab_high, cd_high),
            ];
            let last = [
                _mm256_unpacklo_epi64(ef, gh),
                _mm256_unpackhi_epi64(ef, gh),
                _mm256_unpacklo_epi64(ef_high, gh_high),
                _mm256_unpackhi_epi64(ef_high, gh_high),
            ];
            let mut all = [a; 8];
            for i in 0..4 {
                all[i] = _mm256_permute2x128_si256::<0x20>(first[i], last[i]);
                all[i + 4] = _mm256_permute2x128_si256::<0x31>(first[i], last[i]);
            }
            all
        }
    };
}

pub(super) use vectors_256;
