lint {
  waiver {
    lint = "w_x"
  }

  waiver {
    object = authority.rot
  }
}
