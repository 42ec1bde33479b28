// The operations of a pickle that tensors, and dicts, lists and numbers around them, are written with, under their
// names in Python's pickletools. Not for use outside of core/files.
#pragma once

namespace gesso::detail {

enum PickleOperation : unsigned char {
  pickle_proto = 0x80,  ///< the version of what follows
  pickle_frame = 0x95,  ///< a length, for reading ahead
  pickle_stop = '.',    ///< the top of the stack is the result
  pickle_none = 'N',
  pickle_new_true = 0x88,
  pickle_new_false = 0x89,
  pickle_binint1 = 'K',
  pickle_binint2 = 'M',
  pickle_binint = 'J',
  pickle_long1 = 0x8A,  ///< an integer of up to 255 bytes
  pickle_long4 = 0x8B,
  pickle_binfloat = 'G',  ///< big-endian
  pickle_short_binunicode = 0x8C,
  pickle_binunicode = 'X',
  pickle_binunicode8 = 0x8D,
  pickle_short_binstring = 'U',  ///< Python 2's str
  pickle_binstring = 'T',
  pickle_short_binbytes = 'C',
  pickle_binbytes = 'B',
  pickle_binbytes8 = 0x8E,
  pickle_mark = '(',  ///< where the items of the next tuple, list or dict begin
  pickle_pop = '0',
  pickle_pop_mark = '1',
  pickle_dup = '2',
  pickle_empty_tuple = ')',
  pickle_tuple1 = 0x85,
  pickle_tuple2 = 0x86,
  pickle_tuple3 = 0x87,
  pickle_tuple = 't',
  pickle_frozenset = 0x91,
  pickle_empty_list = ']',
  pickle_empty_set = 0x8F,
  pickle_empty_dict = '}',
  pickle_append = 'a',  ///< an item into a list
  pickle_appends = 'e',
  pickle_additems = 0x90,
  pickle_setitem = 's',  ///< key and value into a dict
  pickle_setitems = 'u',
  pickle_binput = 'q',  ///< remembers the top of the stack under a number
  pickle_long_binput = 'r',
  pickle_memoize = 0x94,  ///< the same under the next number
  pickle_binget = 'h',    ///< puts what was remembered on the stack
  pickle_long_binget = 'j',
  pickle_global = 'c',         ///< module and name, a line each
  pickle_stack_global = 0x93,  ///< the same, from the stack
  pickle_reduce = 'R',         ///< calls a function
  pickle_newobj = 0x81,        ///< makes an object: calls a class
  pickle_build = 'b',          ///< gives an object its attributes
  pickle_binpersid = 'Q',      ///< something that is kept outside of the pickle
};

}  // namespace gesso::detail
