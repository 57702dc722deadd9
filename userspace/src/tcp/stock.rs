//! The memory that connections hold between two visits: pooled by size, bounded in sum.

/// Bytes of the smallest block; each further size doubles.
const SIZE_MIN: usize = 512;
/// Sizes from 512 bytes to 512 KiB: queries that go back (two of the largest), and what was read
/// behind them (as much).
const SIZE_COUNT: usize = 11;
/// Bytes of the largest block that may come from the reserve: torn queries and those that wait for
/// their turn have room in it, replies that a client lets pile up do not.
const SMALL: usize = 4096;
/// The part of the bound that only small blocks may use.
const RESERVE_DIVISOR: usize = 8;

/// The stock's bound is reached, or more was asked for than the largest block holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutOfStock;

/// A queue of bytes: filled at its end, consumed from its start. Holds no memory until filled.
///
/// Whoever owns one gives its memory back with [`Stock::release`].
#[derive(Debug, Default)]
pub struct Block {
    memory: Box<[u8]>,
    start: usize,
    end: usize,
}

impl Block {
    /// The bytes not yet consumed.
    pub fn bytes(&self) -> &[u8] {
        &self.memory[self.start..self.end]
    }

    /// Whether all bytes are consumed.
    pub fn is_empty(&self) -> bool {
        self.start == self.end
    }

    /// Consumes the first `count` bytes.
    pub fn consume(&mut self, count: usize) {
        assert!(
            count <= self.end - self.start,
            "more consumed than there is"
        );
        self.start += count;
    }

    /// Appends `bytes` if they fit, moving the unconsumed ones to the front if they must.
    fn append(&mut self, bytes: &[u8]) -> bool {
        if self.memory.len() - (self.end - self.start) < bytes.len() {
            return false;
        }
        if self.memory.len() - self.end < bytes.len() {
            self.memory.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        self.memory[self.end..self.end + bytes.len()].copy_from_slice(bytes);
        self.end += bytes.len();
        true
    }
}

/// All blocks of one thread.
#[derive(Debug)]
pub struct Stock {
    spare: [Vec<Box<[u8]>>; SIZE_COUNT],
    bytes_spare: usize,
    bytes_held: usize,
    bytes_max: usize,
}

impl Stock {
    /// A stock that never has more than `bytes_max` bytes, held and spare together.
    pub fn new(bytes_max: usize) -> Self {
        Self {
            spare: Default::default(),
            bytes_spare: 0,
            bytes_held: 0,
            bytes_max,
        }
    }

    /// Appends `bytes` to `block`, which moves to larger memory when it must; on `Err` it is
    /// unchanged. Memory doubles, so a client holds at most twice what it has sent (or 512 bytes),
    /// whatever length it announced.
    pub fn append(&mut self, block: &mut Block, bytes: &[u8]) -> Result<(), OutOfStock> {
        if block.append(bytes) {
            return Ok(());
        }
        let held = block.bytes();
        let mut larger = Block {
            memory: self.take(held.len() + bytes.len())?,
            start: 0,
            end: 0,
        };
        let fits = larger.append(held) && larger.append(bytes);
        debug_assert!(fits, "a block was taken for these bytes");
        self.release(std::mem::replace(block, larger));
        Ok(())
    }

    /// Puts `bytes` before those of `block`; on `Err` it is unchanged.
    pub fn prepend(&mut self, bytes: &[u8], block: &mut Block) -> Result<(), OutOfStock> {
        let behind = block.bytes();
        let mut whole = Block {
            memory: self.take(bytes.len() + behind.len())?,
            start: 0,
            end: 0,
        };
        let fits = whole.append(bytes) && whole.append(behind);
        debug_assert!(fits, "a block was taken for these bytes");
        self.release(std::mem::replace(block, whole));
        Ok(())
    }

    /// Takes a block's memory back.
    pub fn release(&mut self, block: Block) {
        if let Some(size_index) = size_index(block.memory.len()) {
            self.bytes_held -= block.memory.len();
            self.bytes_spare += block.memory.len();
            self.spare[size_index].push(block.memory);
        }
    }

    /// Whether small blocks have used up half of what is kept for them: those who hold memory are
    /// to give some back, lest the next who asks for little gets nothing.
    pub fn is_short(&self) -> bool {
        self.bytes_held + self.reserve() / 2 > self.bytes_max
    }

    /// Bytes in blocks that connections hold.
    pub fn bytes_held(&self) -> usize {
        self.bytes_held
    }

    /// Memory for at least `len` bytes.
    fn take(&mut self, len: usize) -> Result<Box<[u8]>, OutOfStock> {
        let size = len.next_power_of_two().max(SIZE_MIN);
        let size_index = size_index(size).ok_or(OutOfStock)?;
        let kept = match size <= SMALL {
            true => 0,
            false => self.reserve(),
        };
        if self.bytes_held + size + kept > self.bytes_max {
            return Err(OutOfStock);
        }
        let memory = match self.spare[size_index].pop() {
            Some(memory) => {
                self.bytes_spare -= size;
                memory
            }
            None => {
                self.make_room(size);
                vec![0; size].into()
            }
        };
        self.bytes_held += size;
        Ok(memory)
    }

    /// Bytes that only small blocks may use.
    fn reserve(&self) -> usize {
        self.bytes_max / RESERVE_DIVISOR
    }

    /// Frees spare blocks, largest first, until one of `size` bytes may be allocated.
    fn make_room(&mut self, size: usize) {
        for spare in self.spare.iter_mut().rev() {
            while self.bytes_held + self.bytes_spare + size > self.bytes_max {
                let Some(memory) = spare.pop() else { break };
                self.bytes_spare -= memory.len();
            }
        }
    }
}

/// The place of a block size in the table; `None` for no memory, and for sizes above the largest.
fn size_index(size: usize) -> Option<usize> {
    let doublings = (size / SIZE_MIN).checked_ilog2()?;
    usize::try_from(doublings)
        .ok()
        .filter(|&index| index < SIZE_COUNT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_back_stands_before_what_has_come() {
        let mut stock = Stock::new(4096);
        let mut block = Block::default();
        stock.prepend(b"ab", &mut block).unwrap();
        stock.append(&mut block, b"cd").unwrap();
        block.consume(1);
        stock.prepend(b"xy", &mut block).unwrap();
        assert_eq!(
            (block.bytes(), stock.bytes_held()),
            (b"xybcd".as_slice(), 512)
        );
        assert_eq!(stock.prepend(&[0; 4000], &mut block), Err(OutOfStock));
        assert_eq!(block.bytes(), b"xybcd");
        stock.release(block);
        assert_eq!(stock.bytes_held(), 0);
    }

    #[test]
    fn a_block_grows_keeps_its_bytes_and_goes_back() {
        let mut stock = Stock::new(1 << 20);
        let mut block = Block::default();
        let mut expected = Vec::new();
        for step in 0..1000u32 {
            let bytes = vec![u8::try_from(step % 251).unwrap(); 97];
            stock.append(&mut block, &bytes).unwrap();
            expected.extend(bytes);
            assert!(stock.bytes_held() <= (2 * expected.len()).max(SIZE_MIN));
            block.consume(31);
            expected.drain(..31);
            assert_eq!(block.bytes(), expected);
        }
        stock.release(std::mem::take(&mut block));
        assert_eq!(stock.bytes_held(), 0);
        assert!(block.is_empty());
    }

    #[test]
    fn the_bound_holds_and_a_refused_block_is_unchanged() {
        let mut stock = Stock::new(2048);
        let mut blocks: [Block; 3] = Default::default();
        stock.append(&mut blocks[0], &[1; 1000]).unwrap();
        stock.append(&mut blocks[1], &[2; 500]).unwrap();
        assert_eq!(stock.append(&mut blocks[2], &[3; 600]), Err(OutOfStock));
        assert_eq!(stock.append(&mut blocks[1], &[2; 13]), Err(OutOfStock));
        assert_eq!(blocks[1].bytes(), [2; 500]);
        assert_eq!(stock.append(&mut blocks[2], &[3; 512]), Ok(()));
    }

    #[test]
    fn large_blocks_leave_room_for_small_ones_and_these_say_when_it_is_short() {
        let mut stock = Stock::new(1 << 20);
        let mut large: [Block; 8] = Default::default();
        for block in &mut large[..7] {
            stock.append(block, &[1; 1 << 17]).unwrap();
        }
        assert_eq!(stock.append(&mut large[7], &[1; 8192]), Err(OutOfStock));
        assert!(!stock.is_short());
        // Half of the eighth that is left, and one more.
        let mut small: [Block; 17] = Default::default();
        for block in &mut small {
            assert!(!stock.is_short());
            stock.append(block, &[2; 4096]).unwrap();
        }
        assert!(stock.is_short());
        stock.release(std::mem::take(&mut large[0]));
        assert!(!stock.is_short());
    }

    #[test]
    fn spare_blocks_make_room_for_other_sizes() {
        let mut stock = Stock::new(3 << 16);
        for len in [1 << 17, 1 << 16, 512, 1 << 17] {
            let mut block = Block::default();
            stock.append(&mut block, &vec![0; len]).unwrap();
            assert!(stock.bytes_held + stock.bytes_spare <= 3 << 16);
            stock.release(block);
        }
    }

    #[test]
    fn a_spare_block_is_used_again() {
        let mut stock = Stock::new(1 << 20);
        let mut block = Block::default();
        stock.append(&mut block, &[1; 600]).unwrap();
        let address = block.bytes().as_ptr();
        stock.release(block);
        let mut again = Block::default();
        stock.append(&mut again, &[2; 1024]).unwrap();
        assert_eq!(again.bytes().as_ptr(), address);
    }

    #[test]
    fn nothing_larger_than_the_largest_block_is_held() {
        let mut stock = Stock::new(1 << 30);
        let mut block = Block::default();
        let largest = SIZE_MIN << (SIZE_COUNT - 1);
        assert_eq!(
            stock.append(&mut block, &vec![0; largest + 1]),
            Err(OutOfStock)
        );
        assert_eq!(stock.append(&mut block, &vec![0; largest]), Ok(()));
    }
}
