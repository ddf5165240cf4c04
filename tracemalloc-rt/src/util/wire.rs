//! Values as bytes, for messages between processes.
//!
//! Other processes write the bytes, so a length is checked before memory is allocated. The injected
//! crates have no derive macro for this, because each new user would compile it.

use std::collections::BTreeMap;

/// A value of a message.
pub trait WireValue: Sized {
    /// Appends the value.
    fn write(&self, bytes: &mut Vec<u8>);

    /// Takes the value from the beginning of the bytes. `None` if they hold none. It takes at least
    /// one byte.
    fn read(bytes: &mut &[u8]) -> Option<Self>;
}

/// Implements [`WireValue`], which has to be in scope, for a struct with these fields, or an enum
/// with these variants.
#[macro_export]
#[doc(hidden)]
macro_rules! __wire {
    (struct $name:ident { $($field:ident),+ $(,)? }) => {
        impl WireValue for $name {
            fn write(&self, bytes: &mut Vec<u8>) {
                $(WireValue::write(&self.$field, bytes);)+
            }

            fn read(bytes: &mut &[u8]) -> Option<Self> {
                Some(Self { $($field: WireValue::read(bytes)?,)+ })
            }
        }
    };
    (enum $name:ident { $($variant:ident),+ $(,)? }) => {
        impl WireValue for $name {
            fn write(&self, bytes: &mut Vec<u8>) {
                // Fails to compile if a variant is missing.
                bytes.push(match self { $(Self::$variant => Self::$variant as u8,)+ });
            }

            fn read(bytes: &mut &[u8]) -> Option<Self> {
                let number = <u8 as WireValue>::read(bytes)?;
                [$(Self::$variant,)+].into_iter().find(|variant| *variant as u8 == number)
            }
        }
    };
}

pub use __wire as wire;

macro_rules! number {
    ($($type:ty)+) => {
        $(impl WireValue for $type {
            fn write(&self, bytes: &mut Vec<u8>) {
                bytes.extend(self.to_le_bytes());
            }

            fn read(bytes: &mut &[u8]) -> Option<Self> {
                let (number, rest) = bytes.split_first_chunk()?;
                *bytes = rest;
                Some(Self::from_le_bytes(*number))
            }
        })+
    };
}

number!(u8 u32 i32 u64 f64);

impl WireValue for bool {
    fn write(&self, bytes: &mut Vec<u8>) {
        bytes.push(u8::from(*self));
    }

    fn read(bytes: &mut &[u8]) -> Option<Self> {
        match u8::read(bytes)? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }
    }
}

impl WireValue for usize {
    fn write(&self, bytes: &mut Vec<u8>) {
        (*self as u64).write(bytes);
    }

    fn read(bytes: &mut &[u8]) -> Option<Self> {
        usize::try_from(u64::read(bytes)?).ok()
    }
}

impl WireValue for String {
    fn write(&self, bytes: &mut Vec<u8>) {
        self.len().write(bytes);
        bytes.extend_from_slice(self.as_bytes());
    }

    fn read(bytes: &mut &[u8]) -> Option<Self> {
        let length = usize::read(bytes)?;
        let (text, rest) = bytes.split_at_checked(length)?;
        *bytes = rest;
        std::str::from_utf8(text).ok().map(str::to_owned)
    }
}

impl<T: WireValue> WireValue for Option<T> {
    fn write(&self, bytes: &mut Vec<u8>) {
        self.is_some().write(bytes);
        if let Some(value) = self {
            value.write(bytes);
        }
    }

    fn read(bytes: &mut &[u8]) -> Option<Self> {
        Some(if bool::read(bytes)? { Some(T::read(bytes)?) } else { None })
    }
}

impl<T: WireValue> WireValue for Vec<T> {
    fn write(&self, bytes: &mut Vec<u8>) {
        self.len().write(bytes);
        for value in self {
            value.write(bytes);
        }
    }

    fn read(bytes: &mut &[u8]) -> Option<Self> {
        let length = length(bytes)?;
        let mut values = Vec::new();
        for _ in 0..length {
            values.push(T::read(bytes)?);
        }
        Some(values)
    }
}

impl<K: WireValue + Ord, V: WireValue> WireValue for BTreeMap<K, V> {
    fn write(&self, bytes: &mut Vec<u8>) {
        self.len().write(bytes);
        for (key, value) in self {
            key.write(bytes);
            value.write(bytes);
        }
    }

    fn read(bytes: &mut &[u8]) -> Option<Self> {
        let length = length(bytes)?;
        let mut map = BTreeMap::new();
        for _ in 0..length {
            map.insert(K::read(bytes)?, V::read(bytes)?);
        }
        Some(map)
    }
}

/// The length of a list. So many values, of one byte or more, must follow. The list's memory grows
/// as they are read.
fn length(bytes: &mut &[u8]) -> Option<usize> {
    usize::read(bytes).filter(|length| *length <= bytes.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read<T: WireValue>(bytes: &[u8]) -> Option<T> {
        let mut rest = bytes;
        T::read(&mut rest).filter(|_| rest.is_empty())
    }

    #[test]
    fn written_values_are_read_again() {
        type All = Vec<(u8, bool, Option<f64>, String, BTreeMap<String, Vec<u32>>)>;
        let map = BTreeMap::from([("a".to_owned(), vec![1, u32::MAX]), (String::new(), vec![])]);
        let all: All = vec![(7, true, Some(-0.5), "\u{e4}".to_owned(), map)];
        for (number, is_set, fraction, text, map) in all {
            let mut bytes = Vec::new();
            number.write(&mut bytes);
            is_set.write(&mut bytes);
            fraction.write(&mut bytes);
            text.write(&mut bytes);
            map.write(&mut bytes);
            let mut rest = bytes.as_slice();
            let rest = &mut rest;
            assert_eq!(u8::read(rest), Some(number));
            assert_eq!(bool::read(rest), Some(is_set));
            assert_eq!(Option::<f64>::read(rest), Some(fraction));
            assert_eq!(String::read(rest), Some(text));
            assert_eq!(BTreeMap::read(rest), Some(map));
            assert!(rest.is_empty());
        }
    }

    #[test]
    fn lengths_that_lie_allocate_nothing() {
        for length in [3_u64, 1 << 36, 1 << 47, 1 << 62, u64::MAX] {
            let mut bytes = length.to_le_bytes().to_vec();
            bytes.extend([1, 0]);
            assert_eq!(read::<String>(&bytes), None);
            assert_eq!(read::<Vec<u8>>(&bytes), None);
            assert_eq!(read::<Vec<Vec<String>>>(&bytes), None);
            assert_eq!(read::<BTreeMap<String, u8>>(&bytes), None);
        }
    }
}
