//! The rules of all loaded code, by return address. Each is read from the unwind tables once.
//!
//! A look-up takes no lock. A module that is unloaded leaves its rules behind, and another one may
//! take its addresses. So [`forget`] gives all rules another generation, and older ones are never
//! found again. While nothing calls it, only rules of modules that stay are remembered.

pub mod packed_rule;
pub mod rule;
mod table;

use core::ffi::{CStr, c_int, c_void};
use core::mem::MaybeUninit;
use core::sync::atomic::{AtomicBool, AtomicPtr, AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::ptr;

use crate::trace::capture::unwind_rules::packed_rule::PackedRule;
use crate::trace::capture::unwind_rules::rule::Rule;

const SLOTS: usize = 1 << 14;
/// How many slots a rule may lie in, from the one of its hash on.
const PROBES: usize = 8;
/// The bits of a key that are the address; the others are the generation.
const ADDRESS_BITS: u32 = 48;

/// Empty while the key is 0. The rule is written after the key, and is 0 until then.
struct Slot {
    key: AtomicU64,
    rule: AtomicU64,
}

static TABLE: [Slot; SLOTS] =
    [const { Slot { key: AtomicU64::new(0), rule: AtomicU64::new(0) } }; SLOTS];
static GENERATION: AtomicU32 = AtomicU32::new(0);
static FIND: AtomicPtr<c_void> = AtomicPtr::new(ptr::null_mut());
/// Modules that are never unloaded while this code runs: their first addresses, and their sizes.
static LASTING: [(AtomicUsize, AtomicUsize); 3] =
    [const { (AtomicUsize::new(0), AtomicUsize::new(0)) }; 3];
/// Whether [`forget`] is called for each module that is unloaded.
static FORGETS: AtomicBool = AtomicBool::new(false);

/// glibc's function that finds the module of an address. It takes no lock, and never allocates.
type Find = unsafe extern "C" fn(*mut c_void, *mut Found) -> c_int;

/// The answer of [`Find`], `struct dl_find_object` in glibc.
#[repr(C)]
struct Found {
    flags: u64,
    begin: usize,
    end: usize,
    link_map: usize,
    unwind_header: usize,
    reserved: [u64; 7],
}

/// Prepares look-ups, before the first one. False if the C library, before glibc 2.35, cannot tell
/// where unwind tables are.
pub fn prepare() -> bool {
    if FIND.load(Ordering::Relaxed).is_null() {
        let find = symbol(c"_dl_find_object");
        FIND.store(find, Ordering::Release);
        // The program, the C library, and the module that this code is in.
        // SAFETY: takes a number.
        let program = unsafe { libc::getauxval(libc::AT_PHDR) } as usize;
        let lasting = [program, symbol(c"__libc_start_main").addr(), prepare as *const () as usize];
        for (place, (begin, end)) in LASTING.iter().zip(lasting.into_iter().flat_map(module_of)) {
            // In this order, no other thread ever sees a range that belongs to no such module.
            place.0.store(begin, Ordering::Release);
            place.1.store(end - begin, Ordering::Release);
        }
    }
    !FIND.load(Ordering::Relaxed).is_null()
}

fn symbol(name: &CStr) -> *mut c_void {
    // SAFETY: looks up a name that ends in a zero.
    unsafe { libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr()) }
}

/// From now on, [`forget`] is called for each module that is unloaded.
#[cfg(feature = "c-malloc")]
pub fn forgets() {
    FORGETS.store(true, Ordering::Relaxed);
}

/// Forgets all rules, because a module is unloaded.
#[cfg(any(test, feature = "c-malloc"))]
pub fn forget() {
    GENERATION.fetch_add(1, Ordering::AcqRel);
}

/// The first address of the module that has this address, and one past its last.
pub fn module_of(address: usize) -> Option<(usize, usize)> {
    find(address).map(|found| (found.begin, found.end))
}

/// The first address of the function that has this address, and one past its last.
#[cfg(any(test, feature = "c-malloc"))]
pub fn function_of(address: usize) -> Option<(usize, usize)> {
    let found = find(address)?;
    // SAFETY: the loader's own answer.
    unsafe { table::function(found.unwind_header, address) }
}

/// The rule for a return address.
pub fn rule_at(return_address: usize) -> Rule {
    packed_rule_at(return_address).into()
}

/// As [`rule_at`], in one word.
#[inline(always)]
pub fn packed_rule_at(return_address: usize) -> PackedRule {
    let generation = u64::from(GENERATION.load(Ordering::Acquire));
    let key = return_address as u64 ^ generation << ADDRESS_BITS;
    let hash = (key.wrapping_mul(0xD6E8_FEB8_6659_FD93) >> 32) as usize;
    for probe in 0..PROBES {
        let slot = &TABLE[(hash + probe) % SLOTS];
        match slot.key.load(Ordering::Relaxed) {
            0 => break,
            known if known == key => {
                if let Some(rule) = PackedRule::of_word(slot.rule.load(Ordering::Relaxed)) {
                    return rule;
                }
            }
            _ => {}
        }
    }
    read(return_address, key, hash)
}

#[cold]
#[inline(never)]
fn read(return_address: usize, key: u64, hash: usize) -> PackedRule {
    let Some(found) = find(return_address) else { return PackedRule::UNKNOWN };
    // SAFETY: the loader's own answer.
    let rule = PackedRule::from(unsafe { table::rule(found.unwind_header, return_address) });
    if !FORGETS.load(Ordering::Relaxed) && !is_lasting(return_address) {
        return rule;
    }
    // Without room, the rule is read again next time.
    for probe in 0..PROBES {
        let slot = &TABLE[(hash + probe) % SLOTS];
        match slot.key.compare_exchange(0, key, Ordering::Relaxed, Ordering::Relaxed) {
            Ok(_) => {}
            Err(known) if known == key => {}
            Err(_) => continue,
        }
        slot.rule.store(rule.word(), Ordering::Relaxed);
        break;
    }
    rule
}

/// Whether the address is in a module that stays.
fn is_lasting(address: usize) -> bool {
    LASTING.iter().any(|(begin, size)| {
        let size = size.load(Ordering::Acquire);
        address.wrapping_sub(begin.load(Ordering::Acquire)) < size
    })
}

fn find(address: usize) -> Option<Found> {
    let find = FIND.load(Ordering::Acquire);
    if find.is_null() {
        return None;
    }
    // SAFETY: a function of this name has this type.
    let find = unsafe { core::mem::transmute::<*mut c_void, Find>(find) };
    let mut found = MaybeUninit::<Found>::zeroed();
    // SAFETY: takes any address, and a place to write to.
    let status = unsafe { find(ptr::without_provenance_mut(address), found.as_mut_ptr()) };
    // SAFETY: zeroes, or the function's answer; both are numbers.
    let found = unsafe { found.assume_init() };
    (status == 0 && found.unwind_header != 0).then_some(found)
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use crate::trace::capture::unwind;
    use crate::trace::capture::unwind_rules::rule::Registers;

    // Stores the caller's registers: return address, stack and frame pointer.
    core::arch::global_asm!(
        ".globl tracemalloc_test_registers",
        ".hidden tracemalloc_test_registers",
        ".type tracemalloc_test_registers, @function",
        "tracemalloc_test_registers:",
        "mov rax, [rsp]",
        "mov [rdi], rax",
        "lea rax, [rsp + 8]",
        "mov [rdi + 8], rax",
        "mov [rdi + 16], rbp",
        "ret",
        ".size tracemalloc_test_registers, . - tracemalloc_test_registers",
        // A function of C that keeps no frame pointer, and uses the register for its own ends.
        ".globl tracemalloc_test_no_frame",
        ".hidden tracemalloc_test_no_frame",
        ".type tracemalloc_test_no_frame, @function",
        "tracemalloc_test_no_frame:",
        ".cfi_startproc",
        "push rbx",
        ".cfi_adjust_cfa_offset 8",
        ".cfi_rel_offset rbx, 0",
        "push rbp",
        ".cfi_adjust_cfa_offset 8",
        ".cfi_rel_offset rbp, 0",
        "sub rsp, 40",
        ".cfi_adjust_cfa_offset 40",
        "mov rbp, 7",
        "call rdi",
        "add rsp, 40",
        ".cfi_adjust_cfa_offset -40",
        "pop rbp",
        ".cfi_adjust_cfa_offset -8",
        ".cfi_restore rbp",
        "pop rbx",
        ".cfi_adjust_cfa_offset -8",
        "ret",
        ".cfi_endproc",
        ".size tracemalloc_test_no_frame, . - tracemalloc_test_no_frame",
        // A function that aligns its stack, as gcc writes it.
        ".globl tracemalloc_test_aligned",
        ".hidden tracemalloc_test_aligned",
        ".type tracemalloc_test_aligned, @function",
        "tracemalloc_test_aligned:",
        ".cfi_startproc",
        "lea r10, [rsp + 8]",
        ".cfi_def_cfa r10, 0",
        "and rsp, -64",
        "push [r10 - 8]",
        "push rbp",
        "mov rbp, rsp",
        // DW_CFA_expression: rbp is saved at rbp + 0.
        ".cfi_escape 0x10, 0x06, 0x02, 0x76, 0x00",
        "push r10",
        // DW_CFA_def_cfa_expression: the word at rbp - 8.
        ".cfi_escape 0x0f, 0x03, 0x76, 0x78, 0x06",
        "sub rsp, 40",
        "call rdi",
        "add rsp, 40",
        "pop r10",
        ".cfi_def_cfa r10, 0",
        "pop rbp",
        ".cfi_restore rbp",
        "lea rsp, [r10 - 8]",
        ".cfi_def_cfa rsp, 8",
        "ret",
        ".cfi_endproc",
        ".size tracemalloc_test_aligned, . - tracemalloc_test_aligned",
    );

    unsafe extern "C" {
        fn tracemalloc_test_registers(registers: *mut [usize; 3]);
        fn tracemalloc_test_no_frame(call: extern "C" fn());
        fn tracemalloc_test_aligned(call: extern "C" fn());
    }

    /// The registers of the function that this is inlined into.
    #[inline(always)]
    pub fn here() -> Registers {
        let mut words = [0; 3];
        // SAFETY: there is a place for three words.
        unsafe { tracemalloc_test_registers(&raw mut words) };
        let [return_address, stack, frame] = words;
        Registers { return_address, stack, frame }
    }

    /// Calls a function through C code that keeps no frame pointer.
    pub fn through_no_frame(call: extern "C" fn()) {
        // SAFETY: calls the function, and keeps the registers that C keeps.
        unsafe { tracemalloc_test_no_frame(call) };
    }

    /// The return addresses of the caller and its callers, by rules and by the unwinder.
    #[inline(never)]
    pub fn both() -> (Vec<usize>, Vec<usize>) {
        assert!(prepare(), "glibc 2.35 or later");
        let mut unwound = unwind::all_addresses();
        let mut registers = here();
        let mut stepped = Vec::new();
        loop {
            let rule = rule_at(registers.return_address);
            // SAFETY: rules of code without a fault lead from frame to frame of this stack, which
            // the outermost one ends.
            let Some(next) = (unsafe { rule.step(registers, usize::MAX) }) else { break };
            stepped.push(next.return_address);
            registers = next;
        }
        // Frames of the unwinder and this function come first, and an end is added.
        let own = unwound.iter().position(|address| stepped.first() == Some(address));
        unwound.drain(..own.expect("the caller is among them"));
        unwound.retain(|address| *address != 0);
        (stepped, unwound)
    }

    #[test]
    fn rules_lead_where_the_unwinder_goes() {
        for _ in 0..2 {
            let (stepped, unwound) = both();
            assert!(stepped.len() > 8, "{stepped:x?}");
            assert_eq!(stepped, unwound);
            forget();
        }
    }

    #[test]
    fn rules_lead_through_c_without_frame_pointers() {
        extern "C" fn compare() {
            let (stepped, unwound) = both();
            assert_eq!(stepped, unwound);
            assert!(stepped.len() > 8, "{stepped:x?}");
        }
        extern "C" fn again() {
            through_no_frame(compare);
            // SAFETY: calls the function, and keeps the registers that C keeps.
            unsafe { tracemalloc_test_aligned(compare) };
        }
        through_no_frame(again);
        // SAFETY: as above.
        unsafe { tracemalloc_test_aligned(again) };
    }

    #[test]
    fn addresses_without_a_table_have_no_rule() {
        assert!(prepare());
        for address in [0, 1, usize::MAX, [0; 4].as_ptr().expose_provenance()] {
            assert_eq!(rule_at(address), Rule::Unknown);
            assert_eq!(rule_at(address), Rule::Unknown);
        }
    }

    #[test]
    fn every_function_of_the_c_library_has_a_rule_at_its_first_byte() {
        assert!(prepare());
        let malloc = libc::qsort as *const () as usize;
        let (begin, end) = module_of(malloc).expect("it is loaded");
        assert!((begin..end).contains(&malloc));
        let (first, past) = function_of(malloc + 1).expect("it has a table");
        assert!(first == malloc && past > malloc + 1 && past < malloc + 4096);
        let mut known = 0;
        for address in (malloc..malloc + 4096).step_by(16) {
            known += usize::from(matches!(rule_at(address + 1), Rule::Caller { .. }));
        }
        assert!(known > 200, "{known}");
    }

    #[test]
    fn rules_of_a_module_that_may_be_unloaded_are_not_remembered() {
        assert!(prepare());
        let is_remembered = |address: usize| {
            let address = address as u64;
            let keys = TABLE.iter().map(|slot| slot.key.load(Ordering::Relaxed));
            keys.filter(|key| *key != 0).any(|key| (key ^ address) % (1 << ADDRESS_BITS) == 0)
        };
        let here = here().return_address;
        assert!(is_lasting(here) && matches!(rule_at(here), Rule::Caller { .. }));
        assert!(is_remembered(here));
        // The unwinder's library could be unloaded, as far as this code knows.
        let other = symbol(c"_Unwind_Backtrace").addr() + 1;
        assert!(!is_lasting(other) && matches!(rule_at(other), Rule::Caller { .. }));
        assert_eq!(is_remembered(other), FORGETS.load(Ordering::Relaxed));
    }
}
