package revocation

// radixSort orders by key, eleven bits at a time from the lowest; spare has
// room for as many. Digits that are the same everywhere cost one look. It gives
// whichever of the two holds the result.
func radixSort(order, spare []ordered) []ordered {
	const bits, buckets = 11, 1 << 11
	spare = spare[:len(order)]
	for shift := 0; shift < 64; shift += bits {
		var at [buckets]uint32
		for i := range order {
			at[order[i].key>>shift&(buckets-1)]++
		}
		if at[order[0].key>>shift&(buckets-1)] == uint32(len(order)) {
			continue
		}
		sum := uint32(0)
		for i, n := range at {
			at[i] = sum
			sum += n
		}
		for i := range order {
			digit := order[i].key >> shift & (buckets - 1)
			spare[at[digit]] = order[i]
			at[digit]++
		}
		order, spare = spare, order
	}
	return order
}
