lint {
  profile = "strict"
  fail_on = "info"

  waiver {
    lint     = ""
    object   = authority.root
    reason   = " "
    citation = ""
    until    = "tomorrow"
  }
}
