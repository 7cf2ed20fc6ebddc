package phantom

import (
	"image"
	"image/color"
)

// stain is a colour of the H&E-like rendering, linear 0 to 1.
type stain [3]float64

// Haematoxylin stains nuclei blue-violet, eosin stains stroma and muscle pink.
var (
	slideWhite   = stain{0.965, 0.955, 0.962}
	eosin        = stain{0.90, 0.62, 0.74}
	muscleEosin  = stain{0.84, 0.50, 0.65}
	glandular    = stain{0.86, 0.72, 0.83}
	haematoxylin = stain{0.42, 0.30, 0.58}
	ink          = stain{0.05, 0.20, 0.12}
)

// slideStyle is how a region looks: its stroma, how large and dense its glands are, how blue.
type slideStyle struct {
	ground  stain
	lumenMM float64 // spacing of gland lumina; 0 for none
	open    float64 // share of the area that is lumen
	nuclei  float64 // density of nuclei, 0 to 1
}

// Histology renders the plane as a teaching picture in the manner of a whole-mount slide stained
// with haematoxylin and eosin: glandular zones with open lumina, dense small-gland tumours that grow
// bluer and more solid with grade, outlined in ink as a pathologist would. It is drawn from the true
// labels, is not a photograph of tissue, and says SYNTHETIC across itself.
func (s *Section) Histology() image.Image {
	h, w := s.Grid.Height, s.Grid.Width
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	styles := s.slideStyles()
	key := uint64(0x6b8b4567)
	for _, b := range []byte(s.Patient + s.Plane) {
		key = (key ^ uint64(b)) * 0x100000001b3
	}
	for r := range h {
		for c := range w {
			i := r*w + c
			x, z := s.Grid.LateralMM(c), s.Grid.DepthMM(r)
			col := slideWhite
			if s.Labels[i] != LabelOutside {
				col = styles[s.Labels[i]].paint(key, x, z)
				if s.Fluid[i] {
					col = slideWhite
				}
				if s.Calcification[i] {
					col = haematoxylin
				}
				if s.focusEdge(r, c) {
					col = ink
				}
			}
			grain := 0.012 * lattice(key^0x55, r, c, 0)
			img.SetRGBA(c, r, col.rgba(grain))
		}
	}
	watermark(img, "SYNTHETIC")
	return img
}

// slideStyles gives each label of the plane its look.
func (s *Section) slideStyles() map[uint8]slideStyle {
	styles := map[uint8]slideStyle{
		LabelPZ:      {glandular, 0.62, 0.32, 0.35},
		LabelTZ:      {eosin, 0.75, 0.20, 0.35},
		LabelCZ:      {glandular, 0.85, 0.24, 0.45},
		LabelAFMS:    {muscleEosin, 0, 0, 0.15},
		LabelUrethra: {eosin, 1.6, 0.30, 0.40},
		LabelThyroid: {eosin, 0.5, 0.30, 0.40}, // follicles, whose colloid is left pale
		LabelIsthmus: {eosin, 0.5, 0.30, 0.40},
		LabelNodule:  {eosin, 0.9, 0.34, 0.35},
	}
	for _, f := range s.Foci {
		g := float64(f.GradeGroup)
		styles[f.ID] = slideStyle{mixStain(glandular, haematoxylin, 0.22+0.08*g), 0.36, max(0.20-0.045*g, 0), 0.65 + 0.06*g}
	}
	return styles
}

// paint is the colour at a point, mm: lumina where the noise is high, lined by nuclei, in a ground of
// streaked stroma.
func (st slideStyle) paint(key uint64, x, z float64) stain {
	streak := slideNoise(key+1, 0.5, x+0.6*z, 2.2*z)
	col := mixStain(st.ground, eosin, 0.18+0.12*streak)
	if st.lumenMM > 0 && st.open > 0 {
		n := slideNoise(key+2, st.lumenMM, x, z)
		cutoff := 1.05 - 1.6*st.open
		switch {
		case n > cutoff:
			return mixStain(col, slideWhite, 0.9)
		case n > cutoff-0.35:
			col = mixStain(col, haematoxylin, 0.55)
		}
	}
	if dot := slideNoise(key+3, 0.24, x, z); dot > 1.5-1.3*st.nuclei {
		col = mixStain(col, haematoxylin, 0.45)
	}
	return col
}

// slideNoise is a smooth unit-variance texture in the plane.
func slideNoise(key uint64, scaleMM, x, z float64) float64 {
	ix, wx := spline(x / scaleMM)
	iz, wz := spline(z / scaleMM)
	sum := 0.0
	for b := range 4 {
		line := 0.0
		for a := range 4 {
			line += wx[a] * lattice(key, ix+a, 0, iz+b)
		}
		sum += wz[b] * line
	}
	return sum
}

// focusEdge tells whether a pixel lies on the inked outline of a focus.
func (s *Section) focusEdge(r, c int) bool {
	w, h := s.Grid.Width, s.Grid.Height
	here := s.Labels[r*w+c]
	for _, d := range [4][2]int{{-1, 0}, {1, 0}, {0, -1}, {0, 1}} {
		rr, cc := r+d[0], c+d[1]
		if rr < 0 || rr >= h || cc < 0 || cc >= w {
			continue
		}
		if there := s.Labels[rr*w+cc]; there != here && (there >= LabelFocus || here >= LabelFocus) {
			return true
		}
	}
	return false
}

func mixStain(a, b stain, share float64) stain {
	for k := range a {
		a[k] += share * (b[k] - a[k])
	}
	return a
}

func (c stain) rgba(grain float64) color.RGBA {
	to8 := func(v float64) uint8 { return uint8(min(max(v+grain, 0), 1)*255 + 0.5) }
	return color.RGBA{to8(c[0]), to8(c[1]), to8(c[2]), 255}
}

// glyphs are five-by-seven letters, one byte a row, for the watermark alone.
var glyphs = map[rune][7]byte{
	'S': {0x0f, 0x10, 0x10, 0x0e, 0x01, 0x01, 0x1e}, 'Y': {0x11, 0x11, 0x0a, 0x04, 0x04, 0x04, 0x04},
	'N': {0x11, 0x19, 0x15, 0x13, 0x11, 0x11, 0x11}, 'T': {0x1f, 0x04, 0x04, 0x04, 0x04, 0x04, 0x04},
	'H': {0x11, 0x11, 0x11, 0x1f, 0x11, 0x11, 0x11}, 'E': {0x1f, 0x10, 0x10, 0x1e, 0x10, 0x10, 0x1f},
	'I': {0x0e, 0x04, 0x04, 0x04, 0x04, 0x04, 0x0e}, 'C': {0x0f, 0x10, 0x10, 0x10, 0x10, 0x10, 0x0f},
}

// watermark writes text across the lower half, large and half transparent.
func watermark(img *image.RGBA, text string) {
	b := img.Bounds()
	scale := max(b.Dx()/(6*len(text)+6), 1)
	x0 := (b.Dx() - scale*(6*len(text)-1)) / 2
	y0 := b.Dy() - 9*scale
	for k, ch := range text {
		for row, bits := range glyphs[ch] {
			for col := range 5 {
				if bits>>(4-col)&1 == 0 {
					continue
				}
				for dy := range scale {
					for dx := range scale {
						x, y := x0+(6*k+col)*scale+dx, y0+row*scale+dy
						p := img.RGBAAt(x, y)
						img.SetRGBA(x, y, color.RGBA{uint8(int(p.R) * 6 / 10), uint8(int(p.G) * 6 / 10), uint8(int(p.B) * 7 / 10), 255})
					}
				}
			}
		}
	}
}
