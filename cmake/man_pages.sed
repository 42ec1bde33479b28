# help2man keeps the lines of examples that begin as at a shell's prompt, if what introduces them is a paragraph.
s/^Example:$/Examples:/
/^Examples:/,$ {
  /^Examples:/b
  /^[^ ].*:$/G
  s/^    *\([^ ]\)/  > \1/
  t
  s/^  \([^ ]\)/  $ \1/
}
