"""Deferred OpenGL renderer: shadow-mapped lights, exact labels.

Pass 1 fills a shadow atlas (one tile a light), pass 2 a supersampled geometry buffer, pass 3 (compute)
shades every sample with a quarter of the lights, resolves to the output size and lets the samples vote for
the label. Needs OpenGL 4.3 through EGL (any current GPU, or Mesa's software renderer).
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import moderngl
import numpy as np
from body import Pack
from light import Lighting
from materials import UNIFORMS, Item
from parts import Part, Surface
from PIL import Image

LIGHTS, COLUMNS, ROWS = 24, 6, 4
TILE = 384
"""Side in pixels of one light's tile in the shadow atlas."""
SAMPLES = 4
"""Samples a pixel, in each direction."""
SHADERS = Path(__file__).parent / "shaders"


class Camera(NamedTuple):
    """Where the picture is taken from."""

    eye: np.ndarray
    view_projection: np.ndarray


def look_at(eye: np.ndarray, target: np.ndarray, up: np.ndarray) -> np.ndarray:
    """View matrix."""
    forward = (target - eye) / np.linalg.norm(target - eye)
    side = np.cross(forward, up)
    side /= np.linalg.norm(side)
    matrix = np.eye(4)
    matrix[0, :3], matrix[1, :3], matrix[2, :3] = side, np.cross(side, forward), -forward
    matrix[:3, 3] = -matrix[:3, :3] @ eye
    return matrix


def perspective(half: float, distance: float, near: float = 3, far: float = 60) -> np.ndarray:
    """Projection of a square view that shows +-half at the distance."""
    matrix = np.zeros((4, 4))
    matrix[0, 0] = matrix[1, 1] = distance / half
    matrix[2, 2], matrix[2, 3] = (far + near) / (near - far), 2 * far * near / (near - far)
    matrix[3, 2] = -1
    return matrix


def light_matrix(direction: np.ndarray, centre: np.ndarray) -> np.ndarray:
    """Orthographic view of the head from a light."""
    orthographic = np.diag([1 / 2.5, 1 / 2.5, -2 / 20.0, 1])
    orthographic[2, 3] = -26 / 20.0
    return orthographic @ look_at(centre + direction * 13, centre, np.array([0.01, 1, 0.02]))


def shader(name: str) -> str:
    """Source of a shader, with the constants it shares with this program as macros."""
    macros = {"LIGHTS": LIGHTS, "COLUMNS": COLUMNS, "ROWS": ROWS, "SAMPLES": SAMPLES}
    macros |= {kind.name: int(kind) for kind in Surface}
    macros |= {f"PART_{part.name}": int(part) for part in Part}
    head = "".join(f"#define {key} {value}\n" for key, value in macros.items())
    return f"#version 430\n{head}{(SHADERS / f'{name}.glsl').read_text()}"


class Drawable(NamedTuple):
    """Vertex arrays of a mesh, for the picture and for the shadow atlas."""

    surface: moderngl.VertexArray
    shadow: moderngl.VertexArray


class Renderer:
    """One OpenGL context, its buffers and a cache of meshes and textures."""

    def __init__(self, pack: Pack, size: int = 256) -> None:
        self.pack, self.size = pack, size
        self.context = context = moderngl.create_context(standalone=True, backend="egl", require=430)
        side = size * SAMPLES
        self.geometry = [context.texture((side, side), 4, dtype=dtype) for dtype in ("f4", "f2", "f2", "f2")]
        for texture in self.geometry:
            texture.filter = (moderngl.NEAREST, moderngl.NEAREST)
        self.geometry_buffer = context.framebuffer(self.geometry, context.depth_texture((side, side)))
        self.picture = context.texture((size, size), 4, dtype="f4")
        self.parts = context.texture((size, size), 1, dtype="f4")
        self.shadows = context.depth_texture((TILE * COLUMNS, TILE * ROWS))
        self.shadows.compare_func = "<="
        self.shadows.filter = (moderngl.LINEAR, moderngl.LINEAR)
        self.shadow_buffer = context.framebuffer(depth_attachment=self.shadows)
        self.surface_program = context.program(shader("surface.vert"), shader("surface.frag"))
        self.shadow_program = context.program(shader("shadow.vert"), shader("shadow.frag"))
        self.shade_program = context.compute_shader(shader("shade.comp"))
        self._textures: dict[str, moderngl.Texture] = {}
        self._vertices: dict[str, tuple[moderngl.Buffer, moderngl.Buffer]] = {}
        self._drawables: dict[tuple[str, str], Drawable] = {}
        self.zones = [self.texture(key) for key in ("zones1", "zones2")]
        self.labels = self.texture("labels", nearest=True)

    def texture(self, key: str, *, nearest: bool = False) -> moderngl.Texture:
        """A texture of the pack, loaded once."""
        if key not in self._textures:
            image = Image.open(next(Path(self.pack.root / "tex").glob(key + ".*")))
            image = image if image.mode in {"L", "RGB", "RGBA"} else image.convert("RGBA")
            image = image.transpose(Image.Transpose.FLIP_TOP_BOTTOM)
            texture = self.context.texture(image.size, len(image.getbands()), image.tobytes(), alignment=1)
            if nearest:
                texture.filter = (moderngl.NEAREST, moderngl.NEAREST)
            else:
                texture.build_mipmaps()
                texture.filter = (moderngl.LINEAR_MIPMAP_LINEAR, moderngl.LINEAR)
                texture.anisotropy = 8
            self._textures[key] = texture
        return self._textures[key]

    def drawable(self, item: Item) -> Drawable:
        """Vertex arrays of an item; positions, normals and tangents share one dynamic buffer per mesh."""
        key = (item.mesh, item.variant)
        if key not in self._drawables:
            mesh = self.pack.meshes[item.mesh]
            if item.mesh not in self._vertices:
                constant = np.concatenate([mesh.uv, mesh.rest[mesh.position_of]], 1).astype("f4")
                moving = self.context.buffer(reserve=len(mesh.position_of) * 36)
                self._vertices[item.mesh] = (moving, self.context.buffer(constant.tobytes()))
            moving, constant = self._vertices[item.mesh]
            triangles = mesh.triangles if item.visible is None else mesh.triangles[item.visible]
            index = self.context.buffer(triangles.astype("i4").tobytes())
            rest = (constant, "2f 3f", "uv", "rest")
            surface = self.context.vertex_array(
                self.surface_program, [(moving, "3f 3f 3f", "position", "normal", "tangent"), rest], index
            )
            shadow = self.context.vertex_array(
                self.shadow_program, [(moving, "3f 24x", "position"), rest], index
            )
            self._drawables[key] = Drawable(surface, shadow)
        return self._drawables[key]

    def upload(self, name: str, positions: np.ndarray, *, strands: bool) -> None:
        """Send the positions of a mesh to the GPU, with what follows from them."""
        mesh = self.pack.meshes[name]
        normals = mesh.normals(positions)
        tangents = mesh.tangents(positions) if strands else normals
        vertices = np.concatenate([positions, normals, tangents], 1, dtype=np.float32)[mesh.position_of]
        self._vertices[name][0].write(vertices.tobytes())

    def render(
        self,
        items: list[Item],
        positions: dict[str, np.ndarray],
        camera: Camera,
        head: np.ndarray,
        lights: Lighting,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Draw a scene.

        Returns:
            Linear colour [size, size, 4] (premultiplied, alpha = coverage) and part classes [size, size]
            uint8.
        """
        uploaded: set[str] = set()
        drawables = [self.drawable(item) for item in items]
        for item in items:
            if item.mesh not in uploaded:
                self.upload(item.mesh, positions[item.mesh], strands=item.kind == Surface.HAIR)
                uploaded.add(item.mesh)
        self.context.enable(moderngl.DEPTH_TEST)
        self.context.disable(moderngl.BLEND)
        matrices = [light_matrix(direction, head).T for direction in lights.directions]
        self._draw_shadows(items, drawables, matrices)
        self._draw_surfaces(items, drawables, camera, head)
        self._shade(camera, lights, matrices)
        shape = (self.size, self.size)
        colour = np.frombuffer(self.picture.read(), "f4").reshape(*shape, 4)[::-1]
        parts = np.frombuffer(self.parts.read(), "f4").reshape(shape)[::-1].astype(np.uint8)
        return colour, parts

    def _draw_shadows(self, items: list[Item], drawables: list[Drawable], matrices: list[np.ndarray]) -> None:
        self.shadow_buffer.use()
        self.shadow_buffer.viewport = (0, 0, TILE * COLUMNS, TILE * ROWS)
        self.shadow_buffer.clear(depth=1.0)
        for i, matrix in enumerate(matrices):
            self.shadow_buffer.viewport = ((i % COLUMNS) * TILE, (i // COLUMNS) * TILE, TILE, TILE)
            set_uniforms(self.shadow_program, view_projection=matrix, colour_map=0)
            for item, drawable in zip(items, drawables, strict=True):
                if item.kind in {Surface.BROW, Surface.LASH, Surface.SHELL}:
                    continue
                set_uniforms(self.shadow_program, cut=int(item.kind == Surface.HAIR), fringe=item.fringe)
                if item.kind == Surface.HAIR:
                    self.texture(item.texture).use(0)
                drawable.shadow.render()

    def _draw_surfaces(
        self, items: list[Item], drawables: list[Drawable], camera: Camera, head: np.ndarray
    ) -> None:
        self.geometry_buffer.use()
        self.geometry_buffer.clear(0, 0, 0, 0, depth=1.0)
        self.zones[0].use(1)
        self.zones[1].use(2)
        self.labels.use(3)
        set_uniforms(
            self.surface_program,
            view_projection=camera.view_projection.T,
            eye=camera.eye,
            centre=head,
            colour_map=0,
            zones1=1,
            zones2=2,
            label_map=3,
        )
        for item, drawable in zip(items, drawables, strict=True):
            self.texture(item.texture).use(0)
            set_uniforms(self.surface_program, **{name: getattr(item, name) for name in UNIFORMS})
            drawable.surface.render(instances=max(1, item.shells))

    def _shade(self, camera: Camera, lights: Lighting, matrices: list[np.ndarray]) -> None:
        for unit, texture in enumerate(self.geometry):
            texture.use(unit)
        self.shadows.use(4)
        self.picture.bind_to_image(0, read=False, write=True)
        self.parts.bind_to_image(1, read=False, write=True)
        set_uniforms(
            self.shade_program,
            g_place=0,
            g_normal=1,
            g_albedo=2,
            g_strand=3,
            shadows=4,
            light_matrix=np.stack(matrices),
            light_direction=lights.directions,
            light_colour=lights.colours,
            eye=camera.eye,
            from_above=lights.from_above,
            from_below=lights.from_below,
            wrap=1.0,
        )
        self.shade_program.run(self.size // 8, self.size // 8)
        self.context.memory_barrier()


def set_uniforms(program: moderngl.Program | moderngl.ComputeShader, **values: object) -> None:
    """Set the uniforms that the compiled program kept."""
    for name, value in values.items():
        if name in program:
            if isinstance(value, int | float):
                program[name].value = value
            else:
                program[name].write(np.asarray(value, "f4").tobytes())
