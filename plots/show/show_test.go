package show

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"math"
	"testing"

	"pgregory.net/rapid"
)

// decoded is what a reader sees of the encoded picture.
func decoded(t interface{ Fatal(...any) }, m image.Image) image.Image {
	back, err := png.Decode(bytes.NewReader(small(m)))
	if err != nil {
		t.Fatal(err)
	}
	return back
}

func TestAPictureOfFewColoursIsKeptToTheBit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := image.NewRGBA(image.Rect(0, 0, 16, 16))
		for i := range m.Pix {
			m.Pix[i] = rapid.Byte().Draw(t, "value")
			if i%4 == 3 {
				m.Pix[i] = 255
			}
		}
		back := decoded(t, m)
		for y := range 16 {
			for x := range 16 {
				if got, want := rgb(back.At(x, y)), rgb(m.At(x, y)); got != want {
					t.Fatalf("at %d, %d: %v instead of %v", x, y, got, want)
				}
			}
		}
	})
}

func TestAColourScaleBesideAGreyImageIsOffByLessThanTheEyeSees(t *testing.T) {
	m := image.NewRGBA(image.Rect(0, 0, 512, 64))
	for y := range 64 {
		for x := range 256 {
			v := uint8((x*x + 31*y*y*x) % 251) // speckle
			m.SetRGBA(x, y, color.RGBA{v, v, v, 255})
			m.SetRGBA(256+x, y, color.RGBA{v, uint8(255 * math.Sqrt(float64(v)/255)), 255 - v, 255})
		}
	}
	back, worst := decoded(t, m), 0.0
	for i := range 512 * 64 {
		got, want := rgb(back.At(i%512, i/512)), rgb(m.At(i%512, i/512))
		for k := range 3 {
			worst = max(worst, math.Abs(float64(got[k])-float64(want[k])))
		}
	}
	if worst > 4 {
		t.Errorf("off by %.0f of 255", worst)
	}
	var full bytes.Buffer
	if err := png.Encode(&full, m); err != nil {
		t.Fatal(err)
	}
	if n := len(small(m)); n > full.Len()/2 {
		t.Errorf("%d bytes, %d in full colour", n, full.Len())
	}
}

func TestTransparencyIsPaper(t *testing.T) {
	m := image.NewNRGBA(image.Rect(0, 0, 2, 1))
	m.SetNRGBA(0, 0, color.NRGBA{255, 0, 0, 255})
	if got := rgb(decoded(t, m).At(1, 0)); got != [3]uint8{255, 255, 255} {
		t.Errorf("%v", got)
	}
}

// rgb is a colour on white paper.
func rgb(c color.Color) [3]uint8 {
	m := image.NewRGBA(image.Rect(0, 0, 1, 1))
	m.Set(0, 0, c)
	return onPaper(m)[0]
}
