// Depth of every mesh as a light sees it.
in vec3 position;
in vec2 uv;
in vec3 rest;

uniform mat4 view_projection;

out vec2 texel;
out vec3 base;

void main() {
    texel = uv;
    base = rest;
    gl_Position = view_projection * vec4(position, 1.);
}
