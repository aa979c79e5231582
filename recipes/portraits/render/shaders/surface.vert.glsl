// Vertices of every mesh; shell hair is drawn as instances, each further out along the normal.
in vec3 position;
in vec3 normal;
in vec3 tangent;
in vec2 uv;
in vec3 rest;

uniform mat4 view_projection;
uniform float shell_length;
uniform int shells;
uniform vec3 shell_comb;

out vec3 world;
out vec3 smooth_normal;
out vec3 strand;
out vec2 texel;
out vec3 base;    // position on the base mesh
out float height; // of the shell, 0 at the skin .. 1

void main() {
    height = 0.;
    world = position;
    strand = tangent;
    if (shells > 0) {
        height = (float(gl_InstanceID) + 1.) / float(shells);
        world += shell_length * height * normalize(normal + shell_comb * height);
    }
    smooth_normal = normal;
    texel = uv;
    base = rest;
    gl_Position = view_projection * vec4(world, 1.);
}
