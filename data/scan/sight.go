package scan

import (
	"image"
	"image/color"
	"image/draw"
	"math"

	"elastography/data/jpegdct"
)

// vec is a colour as a vector of red, green and blue in 8-bit levels.
type vec [3]float64

func (a vec) add(b vec) vec           { return vec{a[0] + b[0], a[1] + b[1], a[2] + b[2]} }
func (a vec) sub(b vec) vec           { return vec{a[0] - b[0], a[1] - b[1], a[2] - b[2]} }
func (a vec) scale(s float64) vec     { return vec{a[0] * s, a[1] * s, a[2] * s} }
func (a vec) dot(b vec) float64       { return a[0]*b[0] + a[1]*b[1] + a[2]*b[2] }
func (a vec) norm() float64           { return math.Sqrt(a.dot(a)) }
func mix(a, b vec, t float64) vec     { return a.scale(1 - t).add(b.scale(t)) }
func (a vec) spread() float64         { return max(a[0], a[1], a[2]) - min(a[0], a[1], a[2]) }
func (a vec) chroma(grey vec) float64 { return a.sub(grey.scale(a.dot(grey))).norm() }

// sight is a picture prepared for the finders: its pixels, its brightness, and
// how far each pixel is from grey.
type sight struct {
	im     *image.RGBA      // bounds start at (0,0), opaque
	planes []*jpegdct.Plane // Y, Cb and Cr of a JPEG, nil for other pictures
	exact  [][3]float32     // their colours, neither rounded nor cut off, nil for other pictures
	w, h   int
	luma   []uint8 // BT.601 brightness
	chroma []uint8 // distance from the grey axis in levels, capped at 255
	grey   vec     // unit vector of the B-mode's grey; scanners tint it
	back   float64 // brightness of the background, the commonest dark level
}

func newSight(img image.Image) *sight {
	s := &sight{}
	if coded, ok := img.(*jpegdct.Picture); ok {
		s.planes = []*jpegdct.Plane{coded.Plane(0), coded.Plane(1), coded.Plane(2)}
		s.im, s.exact = decoded(s.planes, coded.Rect.Dx(), coded.Rect.Dy())
	} else {
		s.im = toRGBA(img)
	}
	s.w, s.h, s.luma = s.im.Rect.Dx(), s.im.Rect.Dy(), lumaOf(s.im)
	s.grey = greyAxis(s.im, s.luma)
	s.back = background(s.luma)
	s.chroma = make([]uint8, s.w*s.h)
	for y := range s.h {
		for x := range s.w {
			s.chroma[y*s.w+x] = uint8(min(255, s.at(x, y).chroma(s.grey)))
		}
	}
	return s
}

func (s *sight) bounds() image.Rectangle { return s.im.Rect }

// at is the colour of a pixel. Where a JPEG's noise leads out of 0..255 it is
// left there: cut off, it would no longer average out.
func (s *sight) at(x, y int) vec {
	if s.exact != nil {
		c := &s.exact[y*s.w+x]
		return vec{float64(c[0]), float64(c[1]), float64(c[2])}
	}
	p := s.im.Pix[y*s.im.Stride+4*x:]
	return vec{float64(p[0]), float64(p[1]), float64(p[2])}
}

// between samples the picture at a fractional position, linearly, clamped at
// the borders.
func (s *sight) between(x, y float64) vec {
	x = min(max(x, 0), float64(s.w-1))
	y = min(max(y, 0), float64(s.h-1))
	x0, y0 := int(x), int(y)
	x1, y1 := min(x0+1, s.w-1), min(y0+1, s.h-1)
	fx, fy := x-float64(x0), y-float64(y0)
	return mix(mix(s.at(x0, y0), s.at(x1, y0), fx), mix(s.at(x0, y1), s.at(x1, y1), fx), fy)
}

// lit tells whether a pixel differs from the background.
func (s *sight) lit(x, y int) bool {
	return math.Abs(float64(s.luma[y*s.w+x])-s.back) > 10
}

// toRGBA copies any image to opaque 8-bit RGB with its corner at (0,0);
// transparent pixels fall on black, as on a scanner's screen.
func toRGBA(img image.Image) *image.RGBA {
	if coded, ok := img.(*jpegdct.Picture); ok {
		img = coded.YCbCr
	}
	b := img.Bounds()
	dst := image.NewRGBA(image.Rect(0, 0, b.Dx(), b.Dy()))
	draw.Draw(dst, dst.Rect, image.NewUniform(color.Black), image.Point{}, draw.Src)
	draw.Draw(dst, dst.Rect, img, b.Min, draw.Over)
	return dst
}

// decoded converts a JPEG's planes, w x h pixels of them, to colours. Samples of
// colour that stand for several pixels are interpolated linearly: repeated, as
// image.YCbCr.At does, they would put half a sample of shift into every colour
// edge and so into every stiffness edge.
func decoded(planes []*jpegdct.Plane, w, h int) (rounded *image.RGBA, exact [][3]float32) {
	rounded, exact = image.NewRGBA(image.Rect(0, 0, w, h)), make([][3]float32, w*h)
	level := func(v float32) uint8 { return uint8(min(max(v+0.5, 0), 255)) }
	brightness, blue, red := planes[0], planes[1], planes[2]
	for y := range h {
		for x := range w {
			l := brightness.Levels[y*brightness.Width+x]
			cb, cr := blue.At(x, y, w, h)-128, red.At(x, y, w, h)-128
			c := [3]float32{l + 1.402*cr, l - 0.344136*cb - 0.714136*cr, l + 1.772*cb}
			exact[y*w+x] = c
			p := rounded.Pix[y*rounded.Stride+4*x:]
			p[0], p[1], p[2], p[3] = level(c[0]), level(c[1]), level(c[2]), 255
		}
	}
	return rounded, exact
}

func lumaOf(im *image.RGBA) []uint8 {
	w, h := im.Rect.Dx(), im.Rect.Dy()
	out := make([]uint8, w*h)
	for y := range h {
		row := im.Pix[y*im.Stride:]
		for x := range w {
			out[y*w+x] = uint8((299*int(row[4*x]) + 587*int(row[4*x+1]) + 114*int(row[4*x+2]) + 500) / 1000)
		}
	}
	return out
}

// greyAxis is the direction of the picture's own grey: the mean colour of its
// weakly coloured, lit pixels. Scanners tint the B-mode, often towards blue.
func greyAxis(im *image.RGBA, luma []uint8) vec {
	var sum vec
	w := im.Rect.Dx()
	step := max(1, len(luma)/200_000)
	for i := 0; i < len(luma); i += step {
		p := im.Pix[i/w*im.Stride+i%w*4:]
		c := vec{float64(p[0]), float64(p[1]), float64(p[2])}
		if luma[i] > 40 && c.spread() < 0.2*max(c[0], c[1], c[2]) {
			sum = sum.add(c)
		}
	}
	if n := sum.norm(); n > 0 {
		return sum.scale(1 / n)
	}
	return vec{1, 1, 1}.scale(1 / math.Sqrt(3))
}

// background is the commonest brightness in the dark half of the histogram.
func background(luma []uint8) float64 {
	var count [256]int
	for _, l := range luma {
		count[l]++
	}
	best := 0
	for l := 1; l < 128; l++ {
		if count[l] > count[best] {
			best = l
		}
	}
	return float64(best)
}

// blob is a connected set of pixels.
type blob struct {
	rect image.Rectangle
	area int
}

// blobs collects the 8-connected sets of true pixels of a mask [h,w], clearing
// it on the way so that no second array of labels is needed.
func blobs(mask []bool, w, h int) []blob {
	var out []blob
	var stack []int
	for start := range mask {
		if !mask[start] {
			continue
		}
		mask[start] = false
		stack = append(stack[:0], start)
		b := blob{rect: image.Rect(start%w, start/w, start%w+1, start/w+1)}
		for len(stack) > 0 {
			i := stack[len(stack)-1]
			stack = stack[:len(stack)-1]
			x, y := i%w, i/w
			b.area++
			b.rect.Min.X, b.rect.Max.X = min(b.rect.Min.X, x), max(b.rect.Max.X, x+1)
			b.rect.Min.Y, b.rect.Max.Y = min(b.rect.Min.Y, y), max(b.rect.Max.Y, y+1)
			for ny := max(0, y-1); ny <= min(h-1, y+1); ny++ {
				for nx := max(0, x-1); nx <= min(w-1, x+1); nx++ {
					if j := ny*w + nx; mask[j] {
						mask[j] = false
						stack = append(stack, j)
					}
				}
			}
		}
		out = append(out, b)
	}
	return out
}

// clamp01 keeps a confidence a confidence.
func clamp01(v float64) float64 { return min(max(v, 0), 1) }
