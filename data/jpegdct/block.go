package jpegdct

import "math"

// Side is the width and height of a block in samples.
const Side = 8

// Block is 8 x 8 samples, [row, column], or the coefficients of as many waves,
// [vertical, horizontal frequency].
type Block [Side * Side]float64

// waves are the cosines of a block's transform, [frequency, place], of unit length.
var waves = func() (w [Side][Side]float64) {
	for f := range Side {
		scale := math.Sqrt(2.0 / Side)
		if f == 0 {
			scale = math.Sqrt(1.0 / Side)
		}
		for x := range Side {
			w[f][x] = scale * math.Cos((float64(x)+0.5)*float64(f)*math.Pi/Side)
		}
	}
	return w
}()

// Forward is the block's coefficients.
func (b *Block) Forward() (out Block) {
	var rows Block // horizontal frequencies of each row
	for y := 0; y < len(b); y += Side {
		for f := range Side {
			sum := 0.0
			for x, w := range waves[f] {
				sum += w * b[y+x]
			}
			rows[y+f] = sum
		}
	}
	for f := range Side {
		for y, w := range waves[f] {
			for u := range Side {
				out[f*Side+u] += w * rows[y*Side+u]
			}
		}
	}
	return out
}

// Inverse is the samples of a block of coefficients.
func (b *Block) Inverse() (out Block) {
	var rows Block
	for v := 0; v < len(b); v += Side {
		for f, row := range waves {
			if c := b[v+f]; c != 0 {
				for x, w := range row {
					rows[v+x] += w * c
				}
			}
		}
	}
	for f, column := range waves {
		for y, w := range column {
			for x := range Side {
				out[y*Side+x] += w * rows[f*Side+x]
			}
		}
	}
	return out
}
