package scan

import "image"

// SamePicture tells whether two frames of a cine show the same: equal in size,
// and apart by no more than the noise of a lossy codec, anywhere. nil is like
// nothing.
func SamePicture(a, b image.Image) bool {
	if a == nil || b == nil || a.Bounds().Size() != b.Bounds().Size() {
		return false
	}
	const (
		tile  = 32 // px; a new stiffness map changes many of one
		noise = 3  // levels, mean of a tile
	)
	x := toRGBA(a)
	y := toRGBA(b)
	w, h := x.Rect.Dx(), x.Rect.Dy()
	for ty := 0; ty < h; ty += tile {
		for tx := 0; tx < w; tx += tile {
			sum, n := 0, 0
			for yy := ty; yy < min(ty+tile, h); yy++ {
				for i := yy*x.Stride + 4*tx; i < yy*x.Stride+4*min(tx+tile, w); i++ {
					sum += abs(int(x.Pix[i]) - int(y.Pix[i]))
					n++
				}
			}
			if 4*sum > 3*noise*n { // every fourth value is opacity, always equal
				return false
			}
		}
	}
	return true
}
