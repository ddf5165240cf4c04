//! Reads the rule for one address out of a module's unwind table, `.eh_frame` in the form that GNU
//! tools write, with its sorted index `.eh_frame_hdr`.
//!
//! Nothing here allocates, locks or panics. What it does not understand is [`Rule::Unknown`].

use crate::trace::capture::unwind_rules::rule::{Base, Rule, Saved};

/// x86-64's numbers of registers in unwind tables.
const FRAME: u64 = 6;
const STACK: u64 = 7;
const RETURN_ADDRESS: u64 = 16;

/// How deep `DW_CFA_remember_state` may nest.
const REMEMBERED: usize = 4;

/// Encodings of pointers in the tables.
const UDATA4: u8 = 0x03;
const SDATA4: u8 = 0x0B;
const PC_RELATIVE: u8 = 0x10;
const DATA_RELATIVE: u8 = 0x30;

/// A part of a table, which is read from its first byte on.
#[derive(Clone, Copy)]
struct Bytes {
    at: usize,
    end: usize,
}

/// The registers' rules at one address.
#[derive(Clone, Copy)]
struct State {
    base: Option<(Base, i64)>,
    frame: Option<Saved>,
    return_address: ReturnAddress,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum ReturnAddress {
    BelowBase,
    Undefined,
    Elsewhere,
}

/// The common part of several entries.
struct Common {
    code_alignment: u64,
    data_alignment: i64,
    pointer_encoding: u8,
    has_augmentation: bool,
    is_signal_frame: bool,
    instructions: Bytes,
}

/// The rule for a return address, by the index at `header`.
///
/// # Safety
///
/// The header is that of a loaded module, and its table is in memory and well formed, as the linker
/// has made them.
pub unsafe fn rule(header: usize, return_address: usize) -> Rule {
    // The call is before the address that it returns to.
    let address = return_address.wrapping_sub(1);
    // SAFETY: by the promise of the caller.
    let rule = unsafe { entry(header, address).and_then(|entry| rule_of_entry(entry, address)) };
    rule.unwrap_or(Rule::Unknown)
}

/// The first address of the function that has this address, and one past its last.
///
/// # Safety
///
/// That of [`rule`].
#[cfg(any(test, feature = "c-malloc"))]
pub unsafe fn function(header: usize, address: usize) -> Option<(usize, usize)> {
    // SAFETY: by the promise of the caller.
    let (_, begin, size, _) = unsafe { entry(header, address).and_then(|at| code(at)) }?;
    (address.wrapping_sub(begin) < size).then_some((begin, begin + size))
}

/// The entry that may have an address.
///
/// # Safety
///
/// That of [`rule`].
unsafe fn entry(header: usize, address: usize) -> Option<usize> {
    let mut bytes = Bytes { at: header, end: header + 12 };
    let [version, pointer, count, table] = [bytes.u8()?, bytes.u8()?, bytes.u8()?, bytes.u8()?];
    let is_known = version == 1
        && matches!(pointer & 0x0F, UDATA4 | SDATA4)
        && count == UDATA4
        && table == DATA_RELATIVE | SDATA4;
    if !is_known {
        return None;
    }
    bytes.u32()?;
    let count = bytes.u32()? as usize;
    let pair = |number: usize| {
        let at = header + 12 + number * 8;
        let mut bytes = Bytes { at, end: at + 8 };
        let offsets = (bytes.u32()? as i32, bytes.u32()? as i32);
        let absolute = |offset: i32| header.wrapping_add_signed(offset as isize);
        Some((absolute(offsets.0), absolute(offsets.1)))
    };
    let (mut low, mut high) = (0, count);
    while low < high {
        let middle = low + (high - low) / 2;
        if pair(middle)?.0 <= address { low = middle + 1 } else { high = middle }
    }
    Some(pair(low.checked_sub(1)?)?.1)
}

/// # Safety
///
/// That of [`rule`].
unsafe fn rule_of_entry(entry: usize, address: usize) -> Option<Rule> {
    // SAFETY: by the promise of the caller.
    let (common, begin, size, mut bytes) = unsafe { code(entry) }?;
    if address.wrapping_sub(begin) >= size || common.is_signal_frame {
        return None;
    }
    if common.has_augmentation {
        let length = bytes.uleb()?;
        bytes.skip(length)?;
    }
    let mut state = State {
        base: None,
        frame: Some(Saved::InRegister),
        return_address: ReturnAddress::Elsewhere,
    };
    run(common.instructions, &common, &mut state, None, usize::MAX)?;
    let first = state;
    run(bytes, &common, &mut state, Some(first), address - begin)?;
    Some(state.rule())
}

/// The code of an entry: what several entries have in common, the first address, the size, and the
/// rest of the entry.
///
/// # Safety
///
/// That of [`rule`].
unsafe fn code(entry: usize) -> Option<(Common, usize, usize, Bytes)> {
    let (mut bytes, place) = record(entry)?;
    let offset = bytes.u32()? as usize;
    let common = common(place.checked_sub(offset)?)?;
    let begin = pointer(&mut bytes, common.pointer_encoding)?;
    let size = match common.pointer_encoding & 0x0F {
        UDATA4 | SDATA4 => bytes.u32()? as usize,
        _ => bytes.u64()? as usize,
    };
    Some((common, begin, size, bytes))
}

/// The content of a record behind its length, and the address of that content.
fn record(at: usize) -> Option<(Bytes, usize)> {
    let length = Bytes { at, end: at + 4 }.u32()?;
    let is_short = length != 0 && length < 0xFFFF_FFF0;
    is_short.then_some((Bytes { at: at + 4, end: at + 4 + length as usize }, at + 4))
}

fn common(at: usize) -> Option<Common> {
    let (mut bytes, _) = record(at)?;
    if bytes.u32()? != 0 {
        return None;
    }
    let version = bytes.u8()?;
    let mut augmentation = bytes;
    while bytes.u8()? != 0 {}
    match version {
        1 | 3 => {}
        // Sizes of an address and of a segment.
        4 => bytes.skip(2)?,
        _ => return None,
    }
    let (code_alignment, data_alignment) = (bytes.uleb()?, bytes.sleb()?);
    let register = if version == 1 { u64::from(bytes.u8()?) } else { bytes.uleb()? };
    if register != RETURN_ADDRESS {
        return None;
    }
    let mut common = Common {
        code_alignment,
        data_alignment,
        pointer_encoding: 0,
        has_augmentation: false,
        is_signal_frame: false,
        instructions: bytes,
    };
    let mut data = bytes;
    loop {
        match augmentation.u8()? {
            0 => return Some(common),
            b'z' => {
                common.has_augmentation = true;
                let length = bytes.uleb()?;
                data = bytes;
                bytes.skip(length)?;
                common.instructions = bytes;
            }
            b'R' => common.pointer_encoding = data.u8()?,
            b'L' => data.skip(1)?,
            b'P' => {
                let encoding = data.u8()?;
                data.skip(if matches!(encoding & 0x0F, UDATA4 | SDATA4) { 4 } else { 8 })?;
            }
            b'S' => common.is_signal_frame = true,
            b'B' => {}
            _ => return None,
        }
    }
}

fn pointer(bytes: &mut Bytes, encoding: u8) -> Option<usize> {
    let place = bytes.at;
    let offset = match encoding & 0x0F {
        UDATA4 => i64::from(bytes.u32()?),
        SDATA4 => i64::from(bytes.u32()? as i32),
        // An address, or 8 bytes with or without a sign.
        0x00 | 0x04 | 0x0C => bytes.u64()? as i64,
        _ => return None,
    };
    match encoding & 0xF0 {
        0 => Some(offset as usize),
        PC_RELATIVE => Some(place.wrapping_add_signed(offset as isize)),
        _ => None,
    }
}

/// Applies instructions up to the rule of the address that is `target` bytes from the function's
/// begin. `None` for what is not supported.
fn run(
    mut bytes: Bytes,
    common: &Common,
    state: &mut State,
    first: Option<State>,
    target: usize,
) -> Option<()> {
    let mut stack = [*state; REMEMBERED];
    let mut remembered = 0;
    let mut location = 0_usize;
    while bytes.at < bytes.end {
        let code = bytes.u8()?;
        let low = u64::from(code & 0x3F);
        let advance = match code {
            0x40..=0x7F => Some(low),
            0x02 => Some(u64::from(bytes.u8()?)),
            0x03 => Some(u64::from(bytes.u16()?)),
            0x04 => Some(u64::from(bytes.u32()?)),
            _ => None,
        };
        if let Some(delta) = advance {
            location = location.checked_add((delta * common.code_alignment) as usize)?;
            if location > target {
                return Some(());
            }
            continue;
        }
        match code {
            // offset, offset_extended and offset_extended_sf
            0x80..=0xBF => {
                state.save(low, (bytes.uleb()? as i64).checked_mul(common.data_alignment)?)
            }
            0x05 => {
                let register = bytes.uleb()?;
                state.save(register, (bytes.uleb()? as i64).checked_mul(common.data_alignment)?);
            }
            0x11 => {
                let register = bytes.uleb()?;
                state.save(register, bytes.sleb()?.checked_mul(common.data_alignment)?);
            }
            // restore and restore_extended
            0xC0.. => state.restore(low, first?),
            0x06 => state.restore(bytes.uleb()?, first?),
            // nop
            0x00 => {}
            // undefined, same_value, register
            0x07 => state.lose(bytes.uleb()?, ReturnAddress::Undefined),
            0x08 => {
                let register = bytes.uleb()?;
                state.lose(register, ReturnAddress::Elsewhere);
                if register == FRAME {
                    state.frame = Some(Saved::InRegister);
                }
            }
            0x09 => {
                state.lose(bytes.uleb()?, ReturnAddress::Elsewhere);
                bytes.uleb()?;
            }
            // remember_state and restore_state
            0x0A => {
                *stack.get_mut(remembered)? = *state;
                remembered += 1;
            }
            0x0B => {
                remembered = remembered.checked_sub(1)?;
                *state = *stack.get(remembered)?;
            }
            // def_cfa and def_cfa_sf
            0x0C => {
                let register = bytes.uleb()?;
                state.define(register, bytes.uleb()? as i64);
            }
            0x12 => {
                let register = bytes.uleb()?;
                state.define(register, bytes.sleb()?.checked_mul(common.data_alignment)?);
            }
            // def_cfa_register
            0x0D => {
                let (_, offset) = state.base.unwrap_or((Base::Stack, 0));
                state.define(bytes.uleb()?, offset);
            }
            // def_cfa_offset and def_cfa_offset_sf
            0x0E => state.base = Some((state.base?.0, bytes.uleb()? as i64)),
            0x13 => {
                let offset = bytes.sleb()?.checked_mul(common.data_alignment)?;
                state.base = Some((state.base?.0, offset));
            }
            // def_cfa_expression
            0x0F => state.base = word_at_frame(bytes.block()?),
            // expression
            0x10 => {
                let register = bytes.uleb()?;
                let block = bytes.block()?;
                state.lose(register, ReturnAddress::Elsewhere);
                if register == FRAME {
                    state.frame = at_frame(block);
                }
            }
            // val_offset, val_offset_sf, val_expression
            0x14 | 0x15 => {
                state.lose(bytes.uleb()?, ReturnAddress::Elsewhere);
                bytes.uleb()?;
            }
            0x16 => {
                state.lose(bytes.uleb()?, ReturnAddress::Elsewhere);
                bytes.block()?;
            }
            // GNU_args_size
            0x2E => {
                bytes.uleb()?;
            }
            _ => return None,
        }
    }
    Some(())
}

/// The offset in an expression that begins with the frame pointer plus that, and the rest of it.
fn frame_plus(mut block: Bytes) -> Option<(i64, Bytes)> {
    const FRAME_PLUS: u8 = 0x70 + FRAME as u8;
    (block.u8()? == FRAME_PLUS).then_some(())?;
    Some((block.sleb()?, block))
}

fn word_at_frame(block: Bytes) -> Option<(Base, i64)> {
    const DEREFERENCE: u8 = 0x06;
    let (offset, mut rest) = frame_plus(block)?;
    let is_word = rest.u8()? == DEREFERENCE && rest.at == rest.end;
    is_word.then_some((Base::WordAtFrame, offset))
}

fn at_frame(block: Bytes) -> Option<Saved> {
    let (offset, rest) = frame_plus(block)?;
    (rest.at == rest.end).then_some(Saved::AtFrame(i32::try_from(offset).ok()?))
}

impl State {
    fn define(&mut self, register: u64, offset: i64) {
        self.base = match register {
            STACK => Some((Base::Stack, offset)),
            FRAME => Some((Base::Frame, offset)),
            _ => None,
        };
    }

    fn save(&mut self, register: u64, offset: i64) {
        match register {
            FRAME => self.frame = i32::try_from(offset).ok().map(Saved::AtBase),
            RETURN_ADDRESS if offset == -8 => self.return_address = ReturnAddress::BelowBase,
            RETURN_ADDRESS => self.return_address = ReturnAddress::Elsewhere,
            _ => {}
        }
    }

    /// The register's value is not where a rule could find it.
    fn lose(&mut self, register: u64, return_address: ReturnAddress) {
        match register {
            FRAME => self.frame = None,
            RETURN_ADDRESS => self.return_address = return_address,
            _ => {}
        }
    }

    fn restore(&mut self, register: u64, first: Self) {
        match register {
            FRAME => self.frame = first.frame,
            RETURN_ADDRESS => self.return_address = first.return_address,
            _ => {}
        }
    }

    fn rule(self) -> Rule {
        if self.return_address == ReturnAddress::Undefined {
            return Rule::Outermost;
        }
        match self {
            Self {
                base: Some((base, offset)),
                frame: Some(saved),
                return_address: ReturnAddress::BelowBase,
            } => i32::try_from(offset).map_or(Rule::Unknown, |offset| Rule::Caller {
                base,
                offset,
                saved,
            }),
            _ => Rule::Unknown,
        }
    }
}

impl Bytes {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        if self.end.checked_sub(self.at)? < N {
            return None;
        }
        let at = core::ptr::with_exposed_provenance::<[u8; N]>(self.at);
        self.at += N;
        // SAFETY: in the table, which is mapped and never written (`rule`). An array of bytes has
        // no alignment.
        Some(unsafe { at.read() })
    }

    fn u8(&mut self) -> Option<u8> {
        self.take().map(|[byte]| byte)
    }

    fn u16(&mut self) -> Option<u16> {
        self.take().map(u16::from_le_bytes)
    }

    fn u32(&mut self) -> Option<u32> {
        self.take().map(u32::from_le_bytes)
    }

    fn u64(&mut self) -> Option<u64> {
        self.take().map(u64::from_le_bytes)
    }

    fn skip(&mut self, bytes: impl TryInto<usize>) -> Option<()> {
        let bytes = bytes.try_into().ok()?;
        (self.end.checked_sub(self.at)? >= bytes).then(|| self.at += bytes)
    }

    fn block(&mut self) -> Option<Self> {
        let length = self.uleb()?;
        let at = self.at;
        self.skip(length)?;
        Some(Self { at, end: self.at })
    }

    fn uleb(&mut self) -> Option<u64> {
        self.leb().map(|(value, _)| value)
    }

    fn sleb(&mut self) -> Option<i64> {
        let (value, bits) = self.leb()?;
        let is_negative = bits < 64 && value >> (bits - 1) & 1 != 0;
        Some(if is_negative { value as i64 | -1 << bits } else { value as i64 })
    }

    /// A number of seven bits a byte, and how many bits it has.
    fn leb(&mut self) -> Option<(u64, u32)> {
        let (mut value, mut bits) = (0, 0);
        loop {
            let byte = self.u8()?;
            value |= u64::from(byte & 0x7F).checked_shl(bits)?;
            bits += 7;
            if byte & 0x80 == 0 {
                return Some((value, bits));
            }
        }
    }
}
