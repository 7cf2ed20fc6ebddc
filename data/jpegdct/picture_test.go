package jpegdct

import (
	"bytes"
	"image"
	"image/color"
	"image/jpeg"
	"math"
	"math/rand/v2"
	"os"
	"testing"
)

// speckled is a picture of the greys and colours that screens have, w x h, with
// black and white to the limits.
func speckled(w, h int) *image.RGBA {
	rng := rand.New(rand.NewPCG(1, 2))
	im := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			v := uint8(min(255, max(0, 90+60*rng.NormFloat64())))
			c := color.RGBA{v, v, v, 255}
			switch {
			case x < w/4:
				c = color.RGBA{0, 0, 0, 255}
			case x > 3*w/4:
				c = color.RGBA{v / 2, uint8(y * 255 / h), 255 - v, 255}
			}
			im.SetRGBA(x, y, c)
		}
	}
	return im
}

func through(t *testing.T, im image.Image, quality int) *Picture {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, im, &jpeg.Options{Quality: quality}); err != nil {
		t.Fatal(err)
	}
	out, err := Decode(b.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	p, ok := out.(*Picture)
	if !ok {
		t.Fatalf("a JPEG in colour came back as %T", out)
	}
	return p
}

// multiples counts the blocks of a plane whose coefficients are whole numbers of
// steps, as coded ones are and decoded samples' are not.
func multiples(plane *Plane) (whole, blocks int) {
	for y := 0; y < plane.Height; y += Side {
		for x := 0; x < plane.Width; x += Side {
			var b Block
			for i := range b {
				b[i] = float64(plane.Levels[(y+i/Side)*plane.Width+x+i%Side]) - middle
			}
			blocks++
			coded, all := b.Forward(), true
			for k, q := range plane.Steps {
				off := coded[k] / q
				all = all && math.Abs(off-math.Round(off)) < 1e-3
			}
			if all {
				whole++
			}
		}
	}
	return whole, blocks
}

// libjpeg's ways of sampling colour and of coding are read, too. A progressive
// stream keeps its decoded samples.
func TestStreamsOfLibjpegAreRead(t *testing.T) {
	for file, across := range map[string]int{"444.jpg": 1, "422_restarts.jpg": 2, "420_own_codes.jpg": 2, "progressive.jpg": 2} {
		b, err := os.ReadFile("testdata/" + file)
		if err != nil {
			t.Fatal(err)
		}
		im, err := Decode(b)
		if err != nil {
			t.Fatal(err)
		}
		for n := range 3 {
			plane := im.(*Picture).Plane(n)
			whole, blocks := multiples(plane)
			switch {
			case n > 0 && plane.FX != across:
				t.Errorf("%s: a colour sample is for %d pixels, want %d", file, plane.FX, across)
			case plane.Steps[0] < 1:
				t.Errorf("%s, plane %d: no steps", file, n)
			case file == "progressive.jpg" && whole == blocks, file != "progressive.jpg" && whole < blocks:
				t.Errorf("%s, plane %d: %d of %d blocks are as coded", file, n, whole, blocks)
			}
		}
	}
}

// Levels are those that were coded, not a decoder's whole ones.
func TestLevelsAreThoseThatWereCoded(t *testing.T) {
	for _, quality := range []int{30, 75, 85, 95} {
		im := speckled(150, 90)
		p := through(t, im, quality)
		for n := range 3 {
			plane := p.Plane(n)
			if want := math.Round([]float64{16, 17, 17}[n] * scaleOf(quality)); plane.Steps[0] != want {
				t.Errorf("quality %d, plane %d: the first step is %g, want %g", quality, n, plane.Steps[0], want)
			}
			if whole, blocks := multiples(plane); whole < blocks {
				t.Errorf("quality %d, plane %d: %d of %d blocks are as coded", quality, n, whole, blocks)
			}
			for y := range 90 / plane.FY {
				for x := range 150 / plane.FX {
					decoded := p.Y[y*p.YStride+x]
					if n > 0 {
						decoded = [][]uint8{p.Cb, p.Cr}[n-1][y*p.CStride+x]
					}
					if v := float64(plane.Levels[y*plane.Width+x]); math.Abs(min(max(v, 0), 255)-float64(decoded)) > 1.5 {
						t.Fatalf("quality %d, plane %d: sample %d,%d is %.2f, decoded as %d", quality, n, x, y, v, decoded)
					}
				}
			}
		}
	}
}

// scaleOf is how libjpeg and image/jpeg scale their tables.
func scaleOf(quality int) float64 {
	if quality < 50 {
		return 50 / float64(quality)
	}
	return float64(200-2*quality) / 100
}

func TestATransformAndItsInverseAreOne(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	var b Block
	for i := range b {
		b[i] = rng.NormFloat64()
	}
	c := b.Forward()
	back, power := c.Inverse(), 0.0
	for i := range b {
		power += b[i]*b[i] - c[i]*c[i]
		if math.Abs(back[i]-b[i]) > 1e-12 {
			t.Fatalf("sample %d is %g, was %g", i, back[i], b[i])
		}
	}
	if math.Abs(power) > 1e-9 {
		t.Errorf("the transform changes the power by %g", power)
	}
}

// A picture's levels between colour samples lie between theirs.
func TestColourIsInterpolated(t *testing.T) {
	p := Plane{Width: 8, Height: 8, FX: 2, FY: 2, Levels: make([]float32, 64)}
	for i := range p.Levels {
		p.Levels[i] = float32(i%8*10 + i/8*100)
	}
	for _, c := range []struct {
		x, y int
		want float32
	}{{0, 0, 0}, {1, 0, 2.5}, {2, 0, 7.5}, {15, 1, 95}, {13, 15, 762.5}} {
		if got := p.At(c.x, c.y, 16, 16); got != c.want {
			t.Errorf("pixel %d,%d has %g, want %g", c.x, c.y, got, c.want)
		}
	}
}

// FuzzDecode: whatever image/jpeg reads has planes, and no level far from what it
// decoded.
func FuzzDecode(f *testing.F) {
	for _, quality := range []int{10, 75, 100} {
		var b bytes.Buffer
		if err := jpeg.Encode(&b, speckled(40, 24), &jpeg.Options{Quality: quality}); err != nil {
			f.Fatal(err)
		}
		f.Add(b.Bytes())
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if c, err := jpeg.DecodeConfig(bytes.NewReader(b)); err != nil || c.Width*c.Height > 1<<16 {
			return
		}
		im, err := Decode(b)
		if err != nil {
			return
		}
		p, ok := im.(*Picture)
		if !ok {
			return
		}
		for n := range 3 {
			plane := p.Plane(n)
			if len(plane.Levels) != plane.Width*plane.Height || plane.Width*plane.FX < p.Rect.Dx() || plane.Height*plane.FY < p.Rect.Dy() {
				t.Fatalf("plane %d: %d levels, %d x %d samples for %v", n, len(plane.Levels), plane.Width, plane.Height, p.Rect)
			}
			for y := range p.Rect.Dy() {
				for x := range p.Rect.Dx() {
					if v := float64(plane.At(x, y, p.Rect.Dx(), p.Rect.Dy())); math.IsNaN(v) || math.IsInf(v, 0) {
						t.Fatalf("plane %d, pixel %d,%d: %g", n, x, y, v)
					}
				}
			}
		}
	})
}
