package hclspec

import (
	"errors"
	"fmt"
	"math/big"
	"net/netip"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
)

// networkFunctions compute with networks in CIDR notation.
func networkFunctions() map[string]function.Function {
	prefix := function.Parameter{Name: "prefix", Type: cty.String}
	text := func(description string, params []function.Parameter, f func(p netip.Prefix, args []cty.Value) (string, error)) function.Function {
		return function.New(&function.Spec{
			Description: description, Params: params, Type: function.StaticReturnType(cty.String),
			Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
				p, err := netip.ParsePrefix(args[0].AsString())
				if err != nil {
					return cty.UnknownVal(cty.String), function.NewArgErrorf(0, "%q is not a network such as 10.0.0.0/8", shorten(args[0].AsString()))
				}
				s, err := f(p.Masked(), args)
				return cty.StringVal(s), err
			},
		})
	}
	number := func(name string) function.Parameter { return function.Parameter{Name: name, Type: cty.Number} }
	return map[string]function.Function{
		"cidrhost": text("The address of a host by its number in a network; negative numbers count from the end.",
			[]function.Parameter{prefix, number("number")}, cidrHost),
		"cidrnetmask": text("The mask of an IPv4 network, such as 255.0.0.0.", []function.Parameter{prefix}, cidrNetmask),
		"cidrsubnet": text("A network inside a network: with so many more bits, the one of that number.",
			[]function.Parameter{prefix, number("bits"), number("number")}, cidrSubnet),
		"cidrsubnets": function.New(&function.Spec{
			Description: "Networks inside a network, one after the other: each with so many more bits.",
			Params:      []function.Parameter{prefix},
			VarParam:    &function.Parameter{Name: "bits", Type: cty.Number},
			Type:        function.StaticReturnType(cty.List(cty.String)),
			Impl:        func(args []cty.Value, _ cty.Type) (cty.Value, error) { return cidrSubnets(args) },
		}),
		"cidrcontains": function.New(&function.Spec{
			Description: "Whether an address or a network lies inside a network.",
			Params:      []function.Parameter{prefix, {Name: "inner", Type: cty.String}},
			Type:        function.StaticReturnType(cty.Bool),
			Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
				inside, err := cidrContains(args[0].AsString(), args[1].AsString())
				return cty.BoolVal(inside), err
			},
		}),
	}
}

func cidrContains(outer, inner string) (bool, error) {
	p, err := netip.ParsePrefix(outer)
	if err != nil {
		return false, function.NewArgErrorf(0, "%q is not a network such as 10.0.0.0/8", shorten(outer))
	}
	if address, err := netip.ParseAddr(inner); err == nil {
		return p.Contains(address), nil
	}
	q, err := netip.ParsePrefix(inner)
	if err != nil {
		return false, function.NewArgErrorf(1, "%q is neither an address nor a network", shorten(inner))
	}
	return p.Bits() <= q.Bits() && p.Contains(q.Addr()), nil
}

func wholeNumber(v cty.Value) (*big.Int, error) {
	n, accuracy := v.AsBigFloat().Int(nil)
	if n == nil || accuracy != big.Exact {
		return nil, errors.New("a whole number is required")
	}
	return n, nil
}

// plus adds a number to the first address of a network.
func plus(p netip.Prefix, n *big.Int) (netip.Addr, error) {
	sum := new(big.Int).SetBytes(p.Addr().AsSlice())
	sum.Add(sum, n)
	address, ok := netip.AddrFromSlice(sum.FillBytes(make([]byte, p.Addr().BitLen()/8)))
	if !ok {
		return netip.Addr{}, errors.New("no such address")
	}
	return address, nil
}

func cidrHost(p netip.Prefix, args []cty.Value) (string, error) {
	n, err := wholeNumber(args[1])
	if err != nil {
		return "", function.NewArgError(1, err)
	}
	size := new(big.Int).Lsh(big.NewInt(1), uint(p.Addr().BitLen()-p.Bits()))
	if n.Sign() < 0 {
		n.Add(n, size)
	}
	if n.Sign() < 0 || n.Cmp(size) >= 0 {
		return "", function.NewArgErrorf(1, "%s has %s addresses only", p, size)
	}
	address, err := plus(p, n)
	return address.String(), err
}

func cidrNetmask(p netip.Prefix, _ []cty.Value) (string, error) {
	if !p.Addr().Is4() {
		return "", function.NewArgErrorf(0, "only IPv4 networks have a mask")
	}
	mask := ^uint32(0) << (32 - p.Bits())
	if p.Bits() == 0 {
		mask = 0
	}
	return netip.AddrFrom4([4]byte{byte(mask >> 24), byte(mask >> 16), byte(mask >> 8), byte(mask)}).String(), nil
}

// cidrSubnets gives each network the first free place that suits its size.
func cidrSubnets(args []cty.Value) (cty.Value, error) {
	p, err := netip.ParsePrefix(args[0].AsString())
	if err != nil {
		return cty.DynamicVal, function.NewArgErrorf(0, "%q is not a network such as 10.0.0.0/8", shorten(args[0].AsString()))
	}
	p = p.Masked()
	room := p.Addr().BitLen() - p.Bits()
	next, end := new(big.Int), new(big.Int).Lsh(big.NewInt(1), uint(room))
	var networks []cty.Value
	for i, arg := range args[1:] {
		bits, err := wholeNumber(arg)
		if err != nil || bits.Sign() < 1 || !bits.IsInt64() || bits.Int64() > int64(room) {
			return cty.DynamicVal, function.NewArgErrorf(i+1, "%s has room for 1 to %d more bits", p, room)
		}
		size := new(big.Int).Lsh(big.NewInt(1), uint(room)-uint(bits.Int64()))
		next.Add(next, new(big.Int).Sub(size, big.NewInt(1)))
		next.Sub(next, new(big.Int).Mod(next, size)) // up to a multiple of its size
		if new(big.Int).Add(next, size).Cmp(end) > 0 {
			return cty.DynamicVal, function.NewArgErrorf(i+1, "%s has no room left for it", p)
		}
		address, err := plus(p, next)
		if err != nil {
			return cty.DynamicVal, err
		}
		networks = append(networks, cty.StringVal(fmt.Sprintf("%s/%d", address, p.Bits()+int(bits.Int64()))))
		next.Add(next, size)
	}
	if len(networks) == 0 {
		return cty.ListValEmpty(cty.String), nil
	}
	return cty.ListVal(networks), nil
}

func cidrSubnet(p netip.Prefix, args []cty.Value) (string, error) {
	bits, err := wholeNumber(args[1])
	if err != nil || bits.Sign() < 0 || !bits.IsInt64() || bits.Int64() > int64(p.Addr().BitLen()-p.Bits()) {
		return "", function.NewArgErrorf(1, "%s has room for %d more bits", p, p.Addr().BitLen()-p.Bits())
	}
	n, err := wholeNumber(args[2])
	if err != nil || n.Sign() < 0 || n.BitLen() > int(bits.Int64()) {
		return "", function.NewArgErrorf(2, "%s has 2^%s networks with %s more bits", p, bits, bits)
	}
	length := p.Bits() + int(bits.Int64())
	address, err := plus(p, n.Lsh(n, uint(p.Addr().BitLen()-length)))
	return fmt.Sprintf("%s/%d", address, length), err
}
