"""Small JPEGs of libjpeg's in the ways that image/jpeg does not write.

python make.py, with Pillow; a smooth colour and some speckle, 45 x 27 pixels.
"""
import random

from PIL import Image

random.seed(1)
im = Image.new("RGB", (45, 27))
for y in range(27):
    for x in range(45):
        v = min(255, max(0, int(random.gauss(90, 40))))
        im.putpixel((x, y), (v, v, v) if x < 20 else (3 * x, 8 * y, 250 - 4 * x))
im.save("444.jpg", quality=85, subsampling=0)
im.save("422_restarts.jpg", quality=85, subsampling=1, restart_marker_blocks=2)
im.save("420_own_codes.jpg", quality=92, subsampling=2, optimize=True)
im.save("progressive.jpg", quality=85, progressive=True)
