package plots

import (
	"fmt"
	"image"
	"image/color"
	"math"
)

// categories is the name of the colour map for whole-numbered labels.
const categories = "labels"

// histopathology names the labels of a plane from 0 on; firstTumour and above are tumour foci.
var histopathology = []string{"outside", "peripheral zone", "transition zone", "central zone", "fibromuscular stroma", "urethra"}

// classColors are told apart by neighbours in the list; vermillion is kept for tumours.
var classColors = []color.NRGBA{
	sky, green, orange, purple, {0xF0, 0xE4, 0x42, 0xFF}, blue, {0x99, 0x99, 0x99, 0xFF}, {0x6B, 0x4C, 0x2A, 0xFF}, {0xE8, 0xE8, 0xE8, 0xFF},
}

func classColor(label int) color.NRGBA {
	switch {
	case label <= 0:
		return color.NRGBA{0x26, 0x26, 0x26, 0xFF}
	case label >= firstTumour:
		return vermillion
	}
	return classColors[label-1]
}

// classPicture colours whole-numbered labels as unrelated classes.
func (m Map) classPicture() image.Image {
	img := image.NewNRGBA(image.Rect(0, 0, m.Width, m.Height))
	for i := range m.Values {
		c := missingGrey
		if finite(float64(m.Values[i])) {
			c = classColor(int(math.Round(float64(m.Values[i]))))
		}
		img.SetNRGBA(i%m.Width, i/m.Width, c)
	}
	return img
}

// classesOf lists the classes that occur above 0, with their names; tumour foci count as one.
func (m LabelledMap) classesOf() []entry {
	names := m.Classes
	if len(names) == 0 {
		names = histopathology
	}
	var seen [firstTumour + 1]bool
	for _, v := range m.Field.Values {
		if l := math.Round(float64(v)); finite(l) && l > 0 {
			seen[int(math.Min(l, firstTumour))] = true
		}
	}
	var entries []entry
	for l, present := range seen {
		if !present {
			continue
		}
		text := fmt.Sprintf("label %d", l)
		switch {
		case l < len(names):
			text = names[l]
		case l == firstTumour:
			text = "tumour"
		}
		entries = append(entries, entry{text: text, fill: classColor(l)})
	}
	return entries
}

// classKey names the classes under their panel, one a line.
func (p page) classKey(m LabelledMap, xMM, yMM, widthMM float64) {
	for i, e := range m.classesOf() {
		p.legend(xMM, yMM+float64(i)*keyRowMM, widthMM, []entry{e})
	}
}
