// Package show puts figures, tables and notes into the cell of a notebook, with alternative text for who can't see them.
//
// It owns the way to the notebook's front end and nothing else: outside a GoNB cell every call does nothing.
package show

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"html"
	"image"
	"image/png"
	"strings"

	"github.com/janpfeifer/gonb/gonbui"

	"elastography/plots"
)

// Figure shows a figure as PNG, which stays visible in an untrusted notebook where SVG vanishes. It takes a drawing
// function's two results, so that a cell reads show.Figure(s.Panels()). An error ends the cell with a message.
func Figure(f *plots.Figure, err error) {
	Must(err)
	png, err := f.ScreenPNG()
	Must(err)
	width, _ := f.SizeMM()
	picture(png, width*1.3, f.Alt())
}

// Image shows a picture that is no figure, such as a drawing without axes; alt says what there is to see.
func Image(m image.Image, alt string) {
	var b bytes.Buffer
	Must(png.Encode(&b, m))
	picture(b.Bytes(), 100, alt)
}

func picture(png []byte, widthMM float64, alt string) {
	gonbui.DisplayHtml(fmt.Sprintf(`<img alt="%s" style="width:%.0fmm;max-width:100%%" src="data:image/png;base64,%s">`,
		html.EscapeString(alt), widthMM, base64.StdEncoding.EncodeToString(png)))
}

// Table shows rows under a header.
func Table(header []string, rows [][]string) {
	var b strings.Builder
	line := func(cells []string, tag string) {
		b.WriteString("<tr>")
		for _, c := range cells {
			fmt.Fprintf(&b, "<%s style=\"text-align:left\">%s</%s>", tag, html.EscapeString(c), tag)
		}
		b.WriteString("</tr>")
	}
	b.WriteString("<table>")
	line(header, "th")
	for _, r := range rows {
		line(r, "td")
	}
	b.WriteString("</table>")
	gonbui.DisplayHtml(b.String())
}

// Note shows a line of text.
func Note(format string, args ...any) {
	gonbui.DisplayHtml("<p>" + html.EscapeString(fmt.Sprintf(format, args...)) + "</p>")
}

// Check ends the cell with a message unless ok: the cheap test at the end of a notebook's section.
func Check(ok bool, format string, args ...any) {
	if !ok {
		panic("check failed: " + fmt.Sprintf(format, args...))
	}
	Note("✓ "+format, args...)
}

// Must ends the cell with the error's message, if there is one: a cell has no caller to return it to.
func Must(err error) {
	if err != nil {
		panic(err.Error())
	}
}
