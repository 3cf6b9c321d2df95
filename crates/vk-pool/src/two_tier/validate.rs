//! What holds of a block of both tiers at any time.

use super::TwoTier;
use super::spans::Span;
use crate::tlsf::TlsfCorruption;

impl TwoTier {
    /// Checks every invariant of the segregated fit, and that each span lies in it. For tests.
    ///
    /// # Errors
    ///
    /// The first [`TlsfCorruption`] found.
    ///
    /// # Panics
    ///
    /// If a span is broken.
    pub fn validate(&self) -> Result<(), TlsfCorruption> {
        self.tlsf.validate()?;
        let mut loose_count = 0;
        for (index, span) in (0u32..).zip(&self.spans) {
            let (count, size) = span.live().fold((0, 0), |(n, sum), (_, size)| (n + 1, sum + size));
            assert_eq!(count, span.live_count, "what lives is marked");
            let keeps_loose = self.loose.iter().any(|(_, piece)| piece.span == index);
            let is_known = self.empty == Some(index) && (!self.empty_is_stale || keeps_loose);
            if count > 0 || is_known {
                loose_count += self.validate_known_span(index, span, size);
            } else {
                self.validate_forgotten_span(index, span);
            }
        }
        assert_eq!(self.loose.iter().count(), loose_count, "nothing is loose that was forgotten");
        for (order, piece) in self.loose.iter() {
            assert!(self.is_taken(order, piece), "a loose piece is taken in its span");
        }
        assert_eq!(self.small_room, self.small_end(), "it is put down");
        let lying = self.spans.iter().filter(|span| span.place.is_some() && span.live_count == 0);
        assert_eq!(lying.count(), usize::from(self.empty.is_some()), "at most one is kept");
        Ok(())
    }

    /// Checks a span with live pieces of so many bytes, or the empty one if its buddies know of all that was
    /// freed; answers how many loose ones it has.
    fn validate_known_span(&self, index: u32, span: &Span, live_size: u64) -> usize {
        assert!(span.place.is_some(), "span {index} with live pieces is vacant");
        assert_eq!(self.rooms.bucket_of(index), span.room(), "span {index} is listed by its room");
        span.buddy().validate().expect("the span's buddies are whole");
        let of_span = || self.loose.iter().filter(|(_, piece)| piece.span == index);
        let loose_size: u64 = of_span().map(|(order, _)| self.min_block_size << order).sum();
        let loose_count = of_span().count();
        let taken = span.buddy().taken_blocks().count();
        assert_eq!(
            span.live_count as usize + loose_count,
            taken,
            "what is taken lives or is loose"
        );
        assert_eq!(live_size, span.buddy().allocated_size() - loose_size, "and by its size");
        loose_count
    }

    /// Checks a span without live pieces whose buddies were not told of that.
    fn validate_forgotten_span(&self, index: u32, span: &Span) {
        let room = span.place.is_some().then(|| self.whole_span());
        assert_eq!(self.rooms.bucket_of(index), room, "span {index} is listed as a whole");
        let is_kept = self.empty == Some(index);
        assert_eq!(span.place.is_some(), is_kept, "empty span {index} is kept or vacant");
    }
}
