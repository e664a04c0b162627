secret "b" { file = [1, 2 }
