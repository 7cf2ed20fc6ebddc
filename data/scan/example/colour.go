package example

import "math"

// Colour is red, green and blue in 8-bit levels, not rounded.
type Colour [3]float64

// Jet is MATLAB's map as Skerl's scripts use it (paper facts, section 3): knots,
// equally spaced from no stiffness to the display limit.
func Jet() []Colour {
	return []Colour{{0, 0, 128}, {0, 0, 255}, {0, 128, 255}, {0, 255, 255}, {128, 255, 128}, {255, 255, 0}, {255, 128, 0}, {255, 0, 0}, {128, 0, 0}}
}

// WarmJet is like the map that swepy recorded from a scanner.
func WarmJet() []Colour {
	return []Colour{{2, 0, 151}, {0, 30, 255}, {0, 150, 250}, {30, 240, 230}, {140, 250, 140}, {245, 245, 20}, {255, 150, 0}, {240, 40, 5}, {176, 14, 3}}
}

// At is the colour of a map of equally spaced knots at a share of the scale,
// which is brought into 0 to 1.
func At(knots []Colour, share float64) Colour {
	p := min(max(share, 0), 1) * float64(len(knots)-1)
	i := min(int(p), len(knots)-2)
	return mix(knots[i], knots[i+1], p-float64(i))
}

// mix goes a share of the way from a to b.
func mix(a, b Colour, share float64) Colour {
	for i := range a {
		a[i] = a[i]*(1-share) + b[i]*share
	}
	return a
}

// tint is how the drawn scanner colours its greys, at the same brightness.
func tint(g float64) Colour { return Colour{g * 0.99, g * 0.995, min(255, g*1.06)} }

// level rounds to 8 bits.
func level(v float64) uint8 { return uint8(min(max(math.Round(v), 0), 255)) }
