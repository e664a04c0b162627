secret "f" { file = { path = "x" } }
